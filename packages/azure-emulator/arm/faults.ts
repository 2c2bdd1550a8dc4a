import { Limits } from "./resourceType";

interface FaultDescription {
  /**
   * Command that fails. "running": no command fails; it happens to the running stack, and the next preview must plan no changes.
   * "order": no certificate can be ordered, which `up` reports without failing.
   */
  readonly at: "up" | "down" | "running" | "order";
  readonly what: string;
}

/**
 * Faults that a rehearsal can inject, with the phase in which they are injected. A fault lasts until it is cleared. Beside these
 * there are faults of one request, such as NetworkInterface:create, which occur once. For the errors see faultErrors.ts.
 */
export const FAULTS = {
  login: { at: "up", what: "no login to Azure" },
  subscription: { at: "up", what: "the login has no access to the subscription" },
  key: { at: "up", what: "the configured SSH key is invalid" },
  "registry-login": { at: "up", what: "the registry rejects the configured password" },
  "registry-away": { at: "up", what: "the registry is down" },
  "push-cut": { at: "up", what: "the registry crashes while images are pushed" },
  policy: { at: "up", what: "a policy of the company forbids public IP addresses and VMs" },
  "locks-forbidden": { at: "up", what: "the login may not create locks (store:dataDiskLock)" },
  throttled: { at: "up", what: "the subscription has made too many requests" },
  overlap: { at: "up", what: "the virtual network's range overlaps with a peered network" },
  quota: { at: "up", what: "the subscription's quota of the VM size's family is used up" },
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
  allocation: { at: "up", what: "Azure accepts the VM, and then finds no hardware for it" },
  "os-provisioning": {
    at: "up",
    what: "Azure accepts the VM, and then reports that its system didn't start in time",
  },
  "cloud-init": { at: "up", what: "the VM can't reach the package mirror, so cloud-init fails" },
  silent: { at: "up", what: "the VM boots, but can't be reached" },
  "ssh-refused": { at: "up", what: "the VM can be reached, but its SSH port refuses connections" },
  "azure-touches": {
    at: "running",
    what: "a policy of the company changes the VM's update settings and identity",
  },
  deallocated: {
    at: "running",
    what: "the VM is deallocated, read in this state, and started again",
  },
  "acme-away": { at: "order", what: "the certificate authority doesn't answer" },
  "http-closed": { at: "order", what: "a rule of the firewall closes port 80" },
  "name-elsewhere": { at: "order", what: "the store's name leads to another address" },
  "delete-refused": {
    at: "down",
    what: "ARM rejects the deletion of the VM or its resource group once",
  },
  lock: { at: "down", what: "a lock of the company forbids to delete the data disk" },
  unreachable: { at: "down", what: "the VM can't be reached any more" },
  "vm-gone": { at: "down", what: "the VM was deleted in the portal" },
  "group-gone": { at: "down", what: "the resource group was deleted in the portal" },
} as const satisfies Readonly<Record<string, FaultDescription>>;

export type Fault = keyof typeof FAULTS;

/** Returns the command during which the fault is injected. */
export function phaseOf(fault: string): FaultDescription["at"] {
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
