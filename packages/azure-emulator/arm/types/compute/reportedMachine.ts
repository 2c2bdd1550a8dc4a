import { Resource, View } from "../../resourceType";
import { at, listAt, Properties, textAt, Value } from "../../values";
import { osDiskOf } from "./osDisk";
import { sizeNamed } from "./vmSizes";

/** Size in GiB of the OS disk of Debian's images. */
const OS_DISK_GIB = 30;

/**
 * Returns what a GET of a VM contains beside the request.
 *
 * @see https://github.com/Azure/azure-rest-api-specs, the examples of Microsoft.Compute 2024-11-01
 */
export function machineDefaults(machine: Resource, cloud: View): Properties {
  const { properties } = machine;
  const version = textAt(properties, "storageProfile.imageReference.version");
  const size = sizeNamed(textAt(properties, "hardwareProfile.vmSize"));
  const osDisk = osDiskOf(machine);
  return {
    osProfile: {
      allowExtensionOperations: true,
      requireGuestProvisionSignal: true,
      secrets: [],
      linuxConfiguration: {
        provisionVMAgent: true,
        patchSettings: { patchMode: "ImageDefault", assessmentMode: "ImageDefault" },
      },
    },
    storageProfile: {
      diskControllerType: size?.diskController ?? "SCSI",
      imageReference: { exactVersion: version === "latest" ? "0.20261101.2285" : version },
      osDisk: {
        name: osDisk.name,
        osType: "Linux",
        caching: "ReadWrite",
        deleteOption: "Detach",
        diskSizeGB: OS_DISK_GIB,
        managedDisk: { id: osDisk.id, storageAccountType: "Premium_LRS" },
      },
      dataDisks: listAt(properties, "storageProfile.dataDisks").map((disk) =>
        dataDiskDefaults(cloud.get(textAt(disk, "managedDisk.id"))),
      ),
    },
  };
}

function dataDiskDefaults(disk: Resource | undefined): Value {
  return {
    name: disk?.name,
    caching: "None",
    toBeDetached: false,
    diskSizeGB: at(disk?.properties, "diskSizeGB"),
    managedDisk: { storageAccountType: textAt(disk?.properties, "sku.name") || "Standard_LRS" },
  };
}

/**
 * Returns the paths of what a GET of a VM leaves out: secrets, and the types and sizes of the disks while the VM is deallocated.
 *
 * @see https://github.com/Azure/azure-powershell/issues/13213
 */
export function hiddenOfMachine({ properties, powerState }: Resource): string[] {
  const secrets = ["osProfile.customData", "osProfile.adminPassword", "userData"];
  if (powerState !== "deallocated") return secrets;
  const disks = [
    "osDisk",
    ...listAt(properties, "storageProfile.dataDisks").map((_, i) => `dataDisks.${i}`),
  ];
  return [
    ...secrets,
    ...disks.flatMap((disk) => [
      `storageProfile.${disk}.diskSizeGB`,
      `storageProfile.${disk}.managedDisk.storageAccountType`,
    ]),
  ];
}
