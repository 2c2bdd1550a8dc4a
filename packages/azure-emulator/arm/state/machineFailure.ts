import type { Resource } from "../resourceType";

/** Failure of a VM after ARM has accepted its creation. */
export interface MachineFailure {
  readonly code: string;
  readonly reason: string;
}

/**
 * Returns why the creation or the update of a VM fails after ARM has accepted it.
 *
 * @param before The VM before the request. Undefined for a creation.
 */
export function machineFailure(
  faults: readonly string[],
  { name }: Resource,
  before: Resource | undefined,
): MachineFailure | undefined {
  // The system was provisioned for the first boot only: an update of the VM doesn't repeat it.
  if (before?.failure?.code === TIMED_OUT) return before.failure;
  if (isAllocated(before)) return undefined;
  if (faults.includes("allocation")) {
    return {
      code: NOT_ALLOCATED,
      reason:
        "Allocation failed. We do not have sufficient capacity for the requested VM size in this region. Read more about " +
        "improving likelihood of allocation success at http://aka.ms/allocation-guidance",
    };
  }
  if (!faults.includes("os-provisioning")) return undefined;
  return {
    code: TIMED_OUT,
    reason:
      `OS Provisioning for VM '${name}' did not finish in the allotted time. The VM may still finish provisioning ` +
      `successfully. Please check provisioning state later. For details on how to check current provisioning state of ` +
      `Linux VMs, refer to https://aka.ms/LinuxVMLifecycle.`,
  };
}

/** Returns whether Azure has found hardware for the VM, so that it has booted. */
export function isAllocated(machine: Resource | undefined): boolean {
  return machine !== undefined && machine.failure?.code !== NOT_ALLOCATED;
}

const NOT_ALLOCATED = "AllocationFailed";
const TIMED_OUT = "OSProvisioningTimedOut";

/**
 * Returns a VM that Azure's policies have changed: they turn on the check for updates and assign an identity.
 *
 * @see https://github.com/Azure/azure-policy/issues/1458
 */
export function touchedMachine(machine: Resource, tenantId: string): Resource {
  const patchSettings = { patchMode: "ImageDefault", assessmentMode: "AutomaticByPlatform" };
  const linuxConfiguration = { patchSettings };
  return {
    ...machine,
    computed: {
      ...machine.computed,
      osProfile: { linuxConfiguration },
      identity: { type: "SystemAssigned", principalId: crypto.randomUUID(), tenantId },
    },
  };
}
