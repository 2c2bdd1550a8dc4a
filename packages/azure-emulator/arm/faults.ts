import { ArmError, badRequest, conflict } from "./armError";
import { Limits, ResourceType } from "./resourceType";

/**
 * Faults that a rehearsal can inject, with the phase in which they are injected. A fault lasts until it is cleared. Beside these
 * there are faults of one request, such as NetworkInterface:create, which occur once.
 */
export const FAULTS = {
  login: { at: "up", what: "no login to Azure" },
  subscription: { at: "up", what: "the login has no access to the subscription" },
  key: { at: "up", what: "the configured SSH key is invalid" },
  "registry-login": { at: "up", what: "the registry rejects the configured password" },
  "registry-away": { at: "up", what: "the registry is down" },
  "push-cut": { at: "up", what: "the registry crashes while images are pushed" },
  overlap: { at: "up", what: "the virtual network's range overlaps with a peered network" },
  quota: { at: "up", what: "the subscription's core quota is used up" },
  "regional-quota": {
    at: "up",
    what: "the subscription's quota of all cores in the region is used up",
  },
  size: { at: "up", what: "the region has no capacity for this VM size" },
  "encryption-at-host": { at: "up", what: "the subscription lacks the feature EncryptionAtHost" },
  "nic-reserved": {
    at: "up",
    what: "Azure keeps the network interface for a VM whose creation failed",
  },
  "cloud-init": { at: "up", what: "the VM can't reach the package mirror, so cloud-init fails" },
  silent: { at: "up", what: "the VM boots, but can't be reached" },
  "ssh-refused": { at: "up", what: "the VM can be reached, but its SSH port refuses connections" },
  "delete-refused": {
    at: "down",
    what: "ARM rejects the deletion of the VM or its resource group once",
  },
  unreachable: { at: "down", what: "the VM can't be reached any more" },
  "vm-gone": { at: "down", what: "the VM was deleted in the portal" },
  "group-gone": { at: "down", what: "the resource group was deleted in the portal" },
} as const satisfies Readonly<Record<string, { at: "up" | "down"; what: string }>>;

export type Fault = keyof typeof FAULTS;

/** Returns the command during which the fault is injected. */
export function phaseOf(fault: string): "up" | "down" {
  if (fault in FAULTS) return FAULTS[fault as Fault].at;
  return fault.endsWith(":remove") ? "down" : "up";
}

/** Returns whether the text is a fault: a key of FAULTS, or TYPE:create, TYPE:update or TYPE:remove for an emulated type. */
export function isFault(text: string, types: Iterable<string>): boolean {
  if (text in FAULTS) return true;
  const [type, operation] = text.split(":");
  return (
    [...types].some((token) => token.endsWith(`:${type}`)) &&
    ["create", "update", "remove"].includes(operation ?? "")
  );
}

export type Operation = "create" | "update" | "remove";

/** Returns the error that an active fault causes for this request, if any, and whether the fault ends with this request. */
export function faultOf(
  faults: readonly string[],
  type: ResourceType,
  operation: Operation,
): { readonly error: ArmError; readonly fault: string; readonly once: boolean } | undefined {
  const short = type.token.split(":").at(-1) ?? "";
  const named = `${short}:${operation}`;
  if (faults.includes(named)) {
    const reason = `An internal execution error occurred. (injected fault ${named})`;
    return { error: new ArmError(500, "InternalExecutionError", reason), fault: named, once: true };
  }
  if (
    faults.includes("delete-refused") &&
    HOLDS_MACHINE.includes(short) &&
    operation === "remove"
  ) {
    return {
      error: conflict(
        "OperationNotAllowed",
        "Another operation is in progress on the virtual machine. Try again later.",
      ),
      fault: "delete-refused",
      once: true,
    };
  }
  if (faults.includes("overlap") && short === "VirtualNetwork" && operation !== "remove") {
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

/** Types whose removal removes a VM. */
const HOLDS_MACHINE: readonly string[] = ["VirtualMachine", "ResourceGroup"];

/** Returns the subscription's limits while these faults are active. */
export function limitsUnder(faults: readonly string[]): Limits {
  return {
    cores: faults.includes("quota") ? 0 : 10,
    regionalCores: faults.includes("regional-quota") ? 0 : 20,
    soldOut: faults.includes("size"),
    encryptsAtHost: !faults.includes("encryption-at-host"),
    interfacesReserved: faults.includes("nic-reserved"),
  };
}
