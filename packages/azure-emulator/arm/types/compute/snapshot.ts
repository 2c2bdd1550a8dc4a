import { ArmError, badRequest } from "../../armError";
import { alwaysRemovable, computedOnce, Put, Resource, ResourceType } from "../../resourceType";
import { at, Properties, textAt } from "../../values";
import { DISK } from "./references";

const SOURCE = "creationData.sourceResourceId";

/** A copy of a disk. The emulated one has no content. */
export const snapshot: ResourceType = {
  token: "azure-native:compute:Snapshot",
  armType: "Microsoft.Compute/snapshots",
  path: ["resourceGroupName", "snapshotName"],
  located: true,
  immutable: ["creationData", "incremental"],
  nameRule: /^[A-Za-z0-9_]([\w.-]{0,78}\w)?$/,
  seconds: { create: 5, update: 3, remove: 3 },
  validate: (put) => {
    const option = textAt(put.properties, "creationData.createOption");
    if (option.toLowerCase() !== "copy")
      throw new Error(`The Azure emulator doesn't support snapshots with createOption ${option}.`);
    const location = (one: Properties): string => textAt(one, "location").toLowerCase();
    if (location(sourceOf(put).properties) === location(put.properties)) return;
    throw badRequest(
      "InvalidParameter",
      `Source resource ${textAt(put.properties, SOURCE)} and snapshot ${put.name} must be in the same location.`,
    );
  },
  validateRemoval: alwaysRemovable,
  compute: (put) => ({
    name: put.name,
    type: "Microsoft.Compute/snapshots",
    provisioningState: "Succeeded",
    diskState: "Unattached",
    uniqueId: computedOnce(put, "uniqueId", () => crypto.randomUUID()),
    timeCreated: computedOnce(put, "timeCreated", () => new Date().toISOString()),
    diskSizeGB: computedOnce(put, "diskSizeGB", () => gibOf(sourceOf(put))),
    completionPercent: 100,
    incrementalSnapshotFamilyId: sourceOf(put).computed["uniqueId"],
  }),
  defaults: ({ computed }) => ({
    sku: { name: "Standard_LRS", tier: "Standard" },
    incremental: false,
    networkAccessPolicy: "AllowAll",
    publicNetworkAccess: "Enabled",
    encryption: { type: "EncryptionAtRestWithPlatformKey" },
    creationData: { sourceUniqueId: computed["incrementalSnapshotFamilyId"] },
    diskSizeBytes: Number(computed["diskSizeGB"]) * 2 ** 30,
  }),
};

/** Returns the disk that a snapshot copies. An existing snapshot doesn't need its disk. @throws ArmError */
function sourceOf({ properties, before, cloud }: Put): Resource {
  const id = textAt(properties, SOURCE);
  if (id === "")
    throw badRequest("InvalidParameter", `Required parameter '${SOURCE}' is missing (null).`);
  const found = cloud.get(id);
  if (found?.token === DISK) return found;
  if (before !== undefined) return before;
  throw new ArmError(404, "ResourceNotFound", `The Resource '${id}' was not found.`);
}

function gibOf({ properties }: Resource): number {
  const size = at(properties, "diskSizeGB");
  return typeof size === "number" ? size : 0;
}
