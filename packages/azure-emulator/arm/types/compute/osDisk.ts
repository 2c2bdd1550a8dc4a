import type { Resource } from "../../resourceType";
import { isObject, listAt, textAt } from "../../values";
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

/** Returns the IDs of the disks and interfaces whose `deleteOption` is Delete: Azure deletes them together with the VM. */
export function deletedWith(machine: Resource): string[] {
  const { properties } = machine;
  const named = [
    ...listAt(properties, "networkProfile.networkInterfaces"),
    ...listAt(properties, "storageProfile.dataDisks"),
  ]
    .filter((one) => isObject(one) && textAt(one, "deleteOption") === "Delete")
    .map((one) => textAt(one, "id") || textAt(one, "managedDisk.id"));
  return textAt(properties, "storageProfile.osDisk.deleteOption") === "Delete"
    ? [...named, osDiskOf(machine).id]
    : named;
}
