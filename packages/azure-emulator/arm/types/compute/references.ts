import { Resource, sameId, View } from "../../resourceType";
import { at, listAt, Properties, textAt } from "../../values";

export const MACHINE = "azure-native:compute:VirtualMachine";

export const DISK = "azure-native:compute:Disk";

export const INTERFACE = "azure-native:network:NetworkInterface";

/** Returns the VM to which a disk is attached. */
export function userOf(one: Resource, cloud: View): Resource | undefined {
  return cloud
    .all(MACHINE)
    .find(({ properties }) => dataDisksOf(properties).some(({ id }) => sameId(id, one.id)));
}

/** Returns the IDs and LUNs of a VM's data disks. */
export function dataDisksOf(
  properties: Properties,
): { readonly id: string; readonly lun: number }[] {
  return listAt(properties, "storageProfile.dataDisks").map((one) => {
    const lun = at(one, "lun");
    return { id: textAt(one, "managedDisk.id"), lun: typeof lun === "number" ? lun : -1 };
  });
}

/** Returns the IDs of a VM's network interfaces. */
export function interfacesOf(properties: Properties): string[] {
  return listAt(properties, "networkProfile.networkInterfaces").map((one) => textAt(one, "id"));
}
