import type { Resource } from "../../resourceType";
import { textAt } from "../../values";
import { DISK } from "./references";

/** Returns the OS disk, which Azure creates together with the VM. It outlives the VM unless its `deleteOption` is Delete. */
export function osDiskOf(machine: Resource): Resource {
  const name =
    textAt(machine.properties, "storageProfile.osDisk.name") ||
    `${machine.name}_OsDisk_1_${textAt(machine.computed, "vmId").replaceAll("-", "")}`;
  const group = machine.id.slice(0, machine.id.indexOf("/providers/"));
  return {
    id: `${group}/providers/Microsoft.Compute/disks/${name}`,
    token: DISK,
    name,
    properties: {
      diskName: name,
      location: machine.properties["location"],
      creationData: { createOption: "FromImage" },
    },
    computed: { name, provisioningState: "Succeeded" },
  };
}
