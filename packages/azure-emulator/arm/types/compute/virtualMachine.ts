import { conflict } from "../../armError";
import {
  alwaysRemovable,
  invalid,
  computedOnce,
  etag,
  Put,
  referenced,
  ResourceType,
  sameId,
} from "../../resourceType";
import { Properties, textAt } from "../../values";
import { validateUser } from "./osProfile";
import { dataDisksOf, DISK, MACHINE, userOf } from "./references";
import { validateAcceleration, validateInterfaces, validateReservation } from "./interfaces";
import { validateSecurity } from "./securityProfile";
import { hiddenOfMachine, machineDefaults } from "./reportedMachine";
import { validateBoot, validateImage } from "./vmImage";
import { validateSize } from "./vmSize";

export const virtualMachine: ResourceType = {
  token: MACHINE,
  armType: "Microsoft.Compute/virtualMachines",
  path: ["resourceGroupName", "vmName"],
  located: true,
  immutable: [
    "osProfile.customData",
    "osProfile.adminUsername",
    "osProfile.computerName",
    "osProfile.linuxConfiguration.ssh",
    "osProfile.linuxConfiguration.disablePasswordAuthentication",
    "storageProfile.imageReference",
    "zones",
  ],
  // Azure has newer sizes than the npm package lists.
  openWords: ["hardwareProfile.vmSize"],
  nameRule: /^[A-Za-z0-9]([A-Za-z0-9.-]{0,62}[A-Za-z0-9])?$/,
  seconds: { create: 25, update: 15, remove: 30 },
  validate: (put) => {
    validateImage(put);
    validateDisks(put);
    validateUser(put);
    validateInterfaces(put);
    validateSecurity(put);
    validateReservation(put);
    // Last, because only these refusals reserve the network interfaces.
    validateSize(put);
    validateBoot(put);
    validateAcceleration(put);
  },
  validateRemoval: alwaysRemovable,
  compute: (put) => ({
    name: put.name,
    type: "Microsoft.Compute/virtualMachines",
    provisioningState: "Succeeded",
    vmId: computedOnce(put, "vmId", () => crypto.randomUUID()),
    timeCreated: computedOnce(put, "timeCreated", () => new Date().toISOString()),
    etag: etag(),
    ...kept(put),
  }),
  defaults: machineDefaults,
  hidden: hiddenOfMachine,
};

/** Returns the identity of the VM, which a policy has assigned and an update keeps. */
function kept({ before }: Put): Properties {
  const identity = before?.computed["identity"];
  return identity === undefined ? {} : { identity };
}

function validateDisks(put: Put): void {
  const { properties, cloud } = put;
  const option = textAt(properties, "storageProfile.osDisk.createOption");
  if (option.toLowerCase() !== "fromimage") {
    throw invalid(
      "osDisk.createOption",
      `"${option}" must be FromImage for a machine from an image.`,
    );
  }
  const disks = dataDisksOf(properties);
  const luns = disks.map(({ lun }) => lun);
  if (luns.some((lun) => lun < 0 || lun > 63) || new Set(luns).size < luns.length) {
    throw invalid("dataDisks.lun", "each disk needs a unique number from 0 to 63.");
  }
  for (const { id } of disks) {
    if (id === "")
      throw new Error("The Azure emulator supports only data disks that are Disk resources.");
    const one = referenced(put, "dataDisks", id, DISK);
    const user = userOf(one, cloud);
    if (user === undefined || sameId(user.id, put.id)) continue;
    throw conflict(
      "AttachDiskWhileBeingDetached",
      `Disk '${one.name}' cannot be attached as it is already owned by VM '${user.id}'.`,
    );
  }
}
