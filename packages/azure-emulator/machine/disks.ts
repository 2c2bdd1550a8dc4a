import { Resource, sameId, View } from "../arm/resourceType";
import { dataDisksOf, userOf } from "../arm/types/compute/references";
import { suiteOf } from "../arm/types/compute/vmImage";
import { sizeNamed } from "../arm/types/compute/vmSizes";
import { at, textAt } from "../arm/values";
import { docker, dockerQuietly, labelled } from "../docker";
import { diskVolume, machineName } from "./names";

/** Removes a data disk's volume. Does nothing for an OS disk, which has no volume. */
export async function removeDiskOf(disk: Resource, id: string): Promise<void> {
  if (disk.computed["uniqueId"] !== undefined)
    await dockerQuietly("volume", "rm", diskVolume(id, disk));
}

/** Creates the volumes of a VM's data disks. */
export async function volumesOf(
  machine: Resource,
  cloud: View,
  id: string,
): Promise<{ volume: string; lun: number }[]> {
  const disks = dataDisksOf(machine.properties).flatMap(({ id: disk, lun }) => {
    const resource = cloud.get(disk);
    return resource === undefined ? [] : [{ resource, lun }];
  });
  const volumes: { volume: string; lun: number }[] = [];
  for (const { resource, lun } of disks) {
    const volume = diskVolume(id, resource);
    await docker("volume", "create", ...labelled(id), volume);
    volumes.push({ volume, lun });
  }
  return volumes;
}

/**
 * Gives a data disk its new size. The VM that uses it, if any, sees the size at once: the block device has no SCSI bus to rescan, as a
 * VM of Azure has.
 */
export async function growDiskOf(disk: Resource, cloud: View, id: string): Promise<void> {
  const machine = userOf(disk, cloud);
  // A VM that is off reads the size when it starts.
  if (machine === undefined || machine.powerState === "deallocated") return;
  const lun = dataDisksOf(machine.properties).find((one) => sameId(one.id, disk.id))?.lun;
  const name = machineName(id, textAt(machine.computed, "vmId"));
  await docker(
    "exec",
    name,
    "/usr/local/sbin/rehearsal-disks",
    "grow",
    String(lun),
    String(sizeOf(disk)),
  );
}

/** Returns the content of /etc/rehearsal/disks: LUN, size in GB and names of each data disk. */
export function disksFile(machine: Resource, cloud: View): string {
  const lines = dataDisksOf(machine.properties).map(
    ({ id, lun }) => `${lun} ${sizeOf(cloud.get(id))} ${namesOf(machine, lun).join(" ")}\n`,
  );
  return lines.join("");
}

/**
 * Returns the names of a data disk below /dev/disk/azure. The rules of Azure's agent know SCSI disks only; those of azure-vm-utils, which
 * Debian 12 doesn't have, know NVMe disks, too.
 *
 * @see https://learn.microsoft.com/azure/virtual-machines/linux/azure-virtual-machine-utilities
 */
function namesOf({ properties }: Resource, lun: number): string[] {
  const size = sizeNamed(textAt(properties, "hardwareProfile.vmSize"));
  return [
    ...(size?.diskController === "NVMe" ? [] : [`scsi1/lun${lun}`]),
    ...(suiteOf(properties) !== "bookworm" ? [`data/by-lun/${lun}`] : []),
  ];
}

function sizeOf(disk: Resource | undefined): number {
  const size = at(disk?.properties, "diskSizeGB");
  return typeof size === "number" ? size : 32;
}
