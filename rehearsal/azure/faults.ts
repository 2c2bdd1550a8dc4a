import { ArmError, badRequest, conflict } from "./armError";
import { Limits, ResourceType } from "./resourceType";

/**
 * What can be broken in the stand-in cloud. Each one stays broken until it is mended; those with a verb of a type (such as
 * NetworkInterface:create) happen once.
 */
export const FAULTS = {
  login: "nobody is logged in to Azure",
  subscription: "the subscription isn't one of this login",
  quota: "the subscription has no cores left",
  size: "the region has no machine of this size left",
  overlap: "the virtual network's range is taken by a peering",
  "cloud-init": "the packages can't be reached, so cloud-init fails",
  silent: "the machine boots, but nobody can reach it",
  "ssh-refused": "the machine answers, but its SSH server doesn't",
  "delete-refused": "ARM refuses to delete the machine, once",
} as const;

export type Fault = keyof typeof FAULTS;

/** A fault, or TYPE:create, TYPE:update, TYPE:remove for one of the cloud's types. */
export function isFault(text: string, types: Iterable<string>): boolean {
  if (text in FAULTS) return true;
  const [type, verb] = text.split(":");
  return (
    [...types].some((token) => token.endsWith(`:${type}`)) &&
    ["create", "update", "remove"].includes(verb ?? "")
  );
}

export type Verb = "create" | "update" | "remove";

/** What goes wrong with this request, and whether it is over with that. */
export function faultOf(
  faults: readonly string[],
  type: ResourceType,
  verb: Verb,
): { readonly error: ArmError; readonly fault: string; readonly once: boolean } | undefined {
  const short = type.token.split(":").at(-1) ?? "";
  const named = `${short}:${verb}`;
  if (faults.includes(named)) {
    const reason = `An internal execution error occurred. (the rehearsal was told to fail at ${named})`;
    return { error: new ArmError(500, "InternalExecutionError", reason), fault: named, once: true };
  }
  if (faults.includes("delete-refused") && short === "VirtualMachine" && verb === "remove") {
    return {
      error: conflict(
        "OperationNotAllowed",
        "Another operation is in progress on the virtual machine. Try again later.",
      ),
      fault: "delete-refused",
      once: true,
    };
  }
  if (faults.includes("overlap") && short === "VirtualNetwork" && verb !== "remove") {
    return {
      error: badRequest(
        "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet",
        "The address space of the virtual network overlaps with the address space of a virtual network that it is peered with: 10.0.0.0/8.",
      ),
      fault: "overlap",
      once: false,
    };
  }
  return undefined;
}

export function limitsUnder(faults: readonly string[]): Limits {
  return {
    cores: faults.includes("quota") ? 0 : 10,
    soldOut: faults.includes("size"),
  };
}
