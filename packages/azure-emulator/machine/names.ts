import { Resource } from "../arm/resourceType";
import { textAt } from "../arm/values";

/** Returns the name of a VM's container, by its vmId. */
export function machineName(id: string, vmId: string): string {
  return `store-rehearsal-${id}-${vmId.slice(0, 8)}`;
}

/** Returns the name of a data disk's volume. */
export function diskVolume(id: string, disk: Resource): string {
  return `store-rehearsal-${id}-disk-${textAt(disk.computed, "uniqueId").slice(0, 8)}`;
}
