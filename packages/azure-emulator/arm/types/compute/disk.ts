import { conflict } from "../../armError";
import { invalid, computedOnce, Resource, ResourceType } from "../../resourceType";
import { at, textAt } from "../../values";
import { DISK, userOf } from "./references";

export const disk: ResourceType = {
  token: DISK,
  armType: "Microsoft.Compute/disks",
  path: ["resourceGroupName", "diskName"],
  located: true,
  immutable: ["creationData", "zones", "hyperVGeneration"],
  nameRule: /^[A-Za-z0-9]([\w.-]{0,78}\w)?$/,
  seconds: { create: 3, update: 3, remove: 3 },
  validate: ({ properties, before }) => {
    const option = textAt(properties, "creationData.createOption");
    const size = at(properties, "diskSizeGB");
    if (option !== "Empty" && option !== "FromImage") {
      throw new Error(`The Azure emulator doesn't support disks with createOption ${option}.`);
    }
    if (option === "Empty" && size === undefined)
      throw invalid("diskSizeGB", "is required for an empty disk.");
    if (
      size !== undefined &&
      (typeof size !== "number" || !Number.isInteger(size) || size < 1 || size > 32767)
    ) {
      throw invalid(
        "diskSizeGB",
        `${JSON.stringify(size)} must be a whole number from 1 to 32767.`,
      );
    }
    const old = at(before?.properties, "diskSizeGB");
    if (typeof old === "number" && typeof size === "number" && size < old) {
      throw conflict("DiskSizeReduced", "Resizing a disk to a smaller size is not supported.");
    }
  },
  validateRemoval: (one, cloud) => {
    const user = userOf(one, cloud);
    if (user === undefined) return;
    throw conflict("OperationNotAllowed", `Disk ${one.name} is attached to VM ${user.id}.`);
  },
  compute: (put) => ({
    name: put.name,
    type: "Microsoft.Compute/disks",
    provisioningState: "Succeeded",
    uniqueId: computedOnce(put, "uniqueId", () => crypto.randomUUID()),
    timeCreated: computedOnce(put, "timeCreated", () => new Date().toISOString()),
  }),
  defaults: ({ properties }) => {
    const gib = at(properties, "diskSizeGB");
    return {
      sku: { name: "Standard_LRS", tier: "Standard" },
      networkAccessPolicy: "AllowAll",
      publicNetworkAccess: "Enabled",
      encryption: { type: "EncryptionAtRestWithPlatformKey" },
      diskIOPSReadWrite: 500,
      diskMBpsReadWrite: 100,
      ...(typeof gib === "number" && { diskSizeBytes: gib * 2 ** 30 }),
    };
  },
  related: (one, cloud) => {
    const user = userOf(one, cloud);
    if (user === undefined) return { diskState: "Unattached" };
    const isReserved = user.powerState === "deallocated";
    return { diskState: isReserved ? "Reserved" : "Attached", managedBy: user.id };
  },
};

/** Returns whether a disk is larger than before. */
export function isLarger({ token, properties }: Resource, before: Resource | undefined): boolean {
  const [size, old] = [at(properties, "diskSizeGB"), at(before?.properties, "diskSizeGB")];
  return token === DISK && typeof size === "number" && typeof old === "number" && size > old;
}
