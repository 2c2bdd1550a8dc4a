import * as authorization from "@pulumi/azure-native/authorization";
import * as compute from "@pulumi/azure-native/compute";
import * as pulumi from "@pulumi/pulumi";
import type { AzureHostArgs, AzureScope } from "./azureHostArgs";

/** Creates the disk for the databases' data: protected, because it is the only resource here that can't be recreated. */
export function dataDisk(
  scope: AzureScope,
  { dataDiskGiB, dataDiskLock }: AzureHostArgs,
): compute.Disk {
  const { name, common, opts } = scope;
  const disk = new compute.Disk(
    `${name}-data`,
    {
      ...common,
      creationData: { createOption: "Empty" },
      diskSizeGB: dataDiskGiB,
      sku: { name: "StandardSSD_LRS" },
    },
    { ...opts, protect: true },
  );
  if (dataDiskLock) lock(scope, disk);
  return disk;
}

/**
 * Forbids to delete the disk, and thereby its resource group, also in the portal. Azure refuses a deletion by the stack as well, so the
 * lock isn't deleted together with the group, but before the disk, on which it depends.
 */
function lock({ name, opts: { parent, provider } }: AzureScope, disk: compute.Disk): void {
  new authorization.ManagementLockByScope(
    `${name}-data`,
    {
      scope: disk.id,
      lockName: "data",
      level: "CanNotDelete",
      notes: `Data of the stack ${pulumi.getStack()}, which deletes the lock and the disk by: ./store down ${pulumi.getStack()} --volumes`,
    },
    { parent, provider },
  );
}

/**
 * Takes a snapshot of the data disk. A new key replaces it: the new snapshot is taken at once, and the old one is deleted at the end of
 * the `up`. It isn't protected, because the engine refuses to replace a protected resource.
 */
export function dataSnapshot(
  { name, common, opts }: AzureScope,
  disk: compute.Disk,
  key: pulumi.Input<string>,
): compute.Snapshot {
  return new compute.Snapshot(
    `${name}-data`,
    {
      ...common,
      creationData: { createOption: "Copy", sourceResourceId: disk.id },
      incremental: true,
      sku: { name: "Standard_LRS" },
    },
    {
      ...opts,
      replacementTrigger: key,
      // Azure reports the progress of the copy here.
      ignoreChanges: ["completionPercent"],
    },
  );
}
