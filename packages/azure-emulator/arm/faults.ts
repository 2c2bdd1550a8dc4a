import { ArmError, badRequest, conflict } from "./armError";
import { Limits, ResourceType } from "./resourceType";

/**
 * What can be broken while the stack is brought up or taken down. Each one stays broken until it is mended; those with a verb of
 * a type (such as NetworkInterface:create) happen once.
 */
export const FAULTS = {
  login: { at: "up", what: "nobody is logged in to Azure" },
  subscription: { at: "up", what: "the subscription isn't one of this login" },
  key: { at: "up", what: "the login key that is configured isn't one" },
  "registry-login": { at: "up", what: "the registry refuses the password that is configured" },
  "registry-away": { at: "up", what: "the registry doesn't answer" },
  "push-cut": { at: "up", what: "the registry goes away while images are pushed to it" },
  overlap: { at: "up", what: "the virtual network's range is taken by a peering" },
  quota: { at: "up", what: "the subscription has no cores left" },
  size: { at: "up", what: "the region has no machine of this size left" },
  "cloud-init": { at: "up", what: "the packages can't be reached, so cloud-init fails" },
  silent: { at: "up", what: "the machine boots, but nobody can reach it" },
  "ssh-refused": { at: "up", what: "the machine answers, but its SSH server doesn't" },
  "delete-refused": {
    at: "down",
    what: "ARM refuses to delete the machine, or the group with it, once",
  },
  unreachable: { at: "down", what: "nobody can reach the machine any more" },
  "vm-gone": { at: "down", what: "somebody has deleted the machine by hand" },
  "group-gone": { at: "down", what: "somebody has deleted the whole resource group by hand" },
} as const satisfies Readonly<Record<string, { at: "up" | "down"; what: string }>>;

export type Fault = keyof typeof FAULTS;

/** Whether it is to happen while the stack is brought up, or while it is taken down. */
export function phaseOf(fault: string): "up" | "down" {
  if (fault in FAULTS) return FAULTS[fault as Fault].at;
  return fault.endsWith(":remove") ? "down" : "up";
}

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
  if (faults.includes("delete-refused") && HOLDS_MACHINE.includes(short) && verb === "remove") {
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

const HOLDS_MACHINE: readonly string[] = ["VirtualMachine", "ResourceGroup"];

export function limitsUnder(faults: readonly string[]): Limits {
  return {
    cores: faults.includes("quota") ? 0 : 10,
    soldOut: faults.includes("size"),
  };
}
