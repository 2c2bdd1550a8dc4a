import { badRequest, conflict } from "../armError";
import {
  invalid,
  kept,
  Put,
  referenced,
  Resource,
  ResourceType,
  sameId,
  View,
} from "../resourceType";
import { at, isObject, listAt, Properties, textAt } from "../values";

export const MACHINE = "azure-native:compute:VirtualMachine";
export const DISK = "azure-native:compute:Disk";
const INTERFACE = "azure-native:network:NetworkInterface";

export const disk: ResourceType = {
  token: DISK,
  armType: "Microsoft.Compute/disks",
  path: ["resourceGroupName", "diskName"],
  located: true,
  immutable: ["creationData", "zones", "hyperVGeneration"],
  nameRule: /^[A-Za-z0-9]([\w.-]{0,78}\w)?$/,
  seconds: { create: 3, update: 3, remove: 3 },
  refuse: ({ properties, before }) => {
    const option = textAt(properties, "creationData.createOption");
    const size = at(properties, "diskSizeGB");
    if (option !== "Empty" && option !== "FromImage") {
      throw new Error(`The rehearsal makes no disk by createOption ${option}.`);
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
  refuseRemoval: (one, cloud) => {
    const user = userOf(one, cloud);
    if (user === undefined) return;
    throw conflict("OperationNotAllowed", `Disk ${one.name} is attached to VM ${user.id}.`);
  },
  compute: (put) => ({
    name: put.name,
    type: "Microsoft.Compute/disks",
    provisioningState: "Succeeded",
    uniqueId: kept(put, "uniqueId", () => crypto.randomUUID()),
    timeCreated: kept(put, "timeCreated", () => new Date().toISOString()),
  }),
};

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
  // There are newer sizes than the package lists.
  openWords: ["hardwareProfile.vmSize"],
  nameRule: /^[A-Za-z0-9]([A-Za-z0-9.-]{0,62}[A-Za-z0-9])?$/,
  seconds: { create: 25, update: 15, remove: 30 },
  refuse: (put) => {
    refuseSize(put);
    refuseImage(put);
    refuseDisks(put);
    refuseUser(put);
    refuseInterfaces(put);
  },
  // What it uses is free when it is gone.
  refuseRemoval: () => undefined,
  compute: (put) => ({
    name: put.name,
    type: "Microsoft.Compute/virtualMachines",
    provisioningState: "Succeeded",
    vmId: kept(put, "vmId", () => crypto.randomUUID()),
    timeCreated: kept(put, "timeCreated", () => new Date().toISOString()),
  }),
};

/** The machine that a disk is attached to. */
function userOf(one: Resource, cloud: View): Resource | undefined {
  return cloud
    .all(MACHINE)
    .find(({ properties }) => dataDisksOf(properties).some(({ id }) => sameId(id, one.id)));
}

export function dataDisksOf(
  properties: Properties,
): { readonly id: string; readonly lun: number }[] {
  return listAt(properties, "storageProfile.dataDisks").map((one) => {
    const lun = at(one, "lun");
    return { id: textAt(one, "managedDisk.id"), lun: typeof lun === "number" ? lun : -1 };
  });
}

export function interfacesOf(properties: Properties): string[] {
  return listAt(properties, "networkProfile.networkInterfaces").map((one) => textAt(one, "id"));
}

/** Cores by size, for the sizes that the store may be given. */
const CORES: Readonly<Record<string, number>> = {
  Standard_B1ms: 1,
  Standard_B2s: 2,
  Standard_B2ms: 2,
  Standard_B4ms: 4,
  Standard_D2s_v3: 2,
  Standard_D4s_v3: 4,
  Standard_D2s_v5: 2,
  Standard_D4s_v5: 4,
  Standard_D8s_v5: 8,
  Standard_DS1_v2: 1,
  Standard_DS2_v2: 2,
  Standard_DS3_v2: 4,
  Standard_DS4_v2: 8,
};

function coresOf(size: string): number {
  return (
    Object.entries(CORES).find(([name]) => name.toLowerCase() === size.toLowerCase())?.[1] ?? 0
  );
}

function refuseSize(put: Put): void {
  const size = textAt(put.properties, "hardwareProfile.vmSize");
  const location = textAt(put.properties, "location");
  const cores = coresOf(size);
  if (cores === 0) {
    throw badRequest(
      "InvalidParameter",
      `The value ${size} provided for the VM size is not valid. The valid sizes in the current region are: ` +
        `${Object.keys(CORES).join(",")}.`,
    );
  }
  const { limits } = put.cloud;
  if (put.before === undefined && limits.soldOut) {
    throw conflict(
      "SkuNotAvailable",
      `The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: ${size}' is currently ` +
        `not available in location '${location}'. Please try another size or deploy to a different location or different ` +
        `zone. See https://aka.ms/azureskunotavailable for details.`,
    );
  }
  const used = put.cloud
    .all(MACHINE)
    .filter(({ id }) => !sameId(id, put.id))
    .reduce(
      (sum, { properties }) => sum + coresOf(textAt(properties, "hardwareProfile.vmSize")),
      0,
    );
  if (used + cores <= limits.cores) return;
  throw conflict(
    "OperationNotAllowed",
    `Operation could not be completed as it results in exceeding approved ${familyOf(size)} Cores quota. Additional ` +
      `details - Deployment Model: Resource Manager, Location: ${location}, Current Limit: ${limits.cores}, Current ` +
      `Usage: ${used}, Additional Required: ${cores}, (Minimum) New Limit Required: ${used + cores}.`,
  );
}

/** standardDSv2Family for Standard_DS2_v2. */
function familyOf(size: string): string {
  return `${size.replace("Standard_", "standard").replace(/\d+/, "").replace("_v", "v")}Family`;
}

/** The images that the rehearsal can boot; ARM has thousands. */
export function suiteOf(properties: Properties): "bookworm" | "trixie" | undefined {
  const image = at(properties, "storageProfile.imageReference");
  if (textAt(image, "publisher").toLowerCase() !== "debian") return undefined;
  const offer = textAt(image, "offer").toLowerCase();
  return offer === "debian-12" ? "bookworm" : offer === "debian-13" ? "trixie" : undefined;
}

function refuseImage({ properties }: Put): void {
  const path = "storageProfile.imageReference";
  const [publisher, offer, sku, version] = ["publisher", "offer", "sku", "version"].map((part) =>
    textAt(properties, `${path}.${part}`),
  ) as [string, string, string, string];
  for (const part of ["publisher", "offer", "sku", "version"]) {
    if (textAt(properties, `${path}.${part}`) === "")
      throw invalid(`imageReference.${part}`, "is required.");
  }
  const suite = suiteOf(properties);
  if (suite === undefined) {
    if (publisher.toLowerCase() !== "debian") {
      throw new Error(
        `The rehearsal can't boot ${publisher}:${offer}; it has Debian:debian-12 and Debian:debian-13.`,
      );
    }
    throw imageNotFound(publisher, offer, sku, version);
  }
  const major = offer.slice("debian-".length);
  if (![major, `${major}-gen2`, `${major}-arm64`].includes(sku))
    throw imageNotFound(publisher, offer, sku, version);
  if (version !== "latest" && !/^0\.20\d{6}\.\d+$/.test(version))
    throw imageNotFound(publisher, offer, sku, version);
}

function imageNotFound(publisher: string, offer: string, sku: string, version: string): Error {
  return badRequest(
    "PlatformImageNotFound",
    `The platform image '${publisher}:${offer}:${sku}:${version}' is not available. Verify that all fields in the ` +
      `storage profile are correct.`,
  );
}

function refuseDisks(put: Put): void {
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
    throw invalid("dataDisks.lun", "each disk needs a number of its own from 0 on.");
  }
  for (const { id } of disks) {
    if (id === "")
      throw new Error("The rehearsal attaches data disks that are resources of their own only.");
    const one = referenced(put, "dataDisks", id, DISK);
    const user = userOf(one, cloud);
    if (user === undefined || sameId(user.id, put.id)) continue;
    throw conflict(
      "AttachDiskWhileBeingDetached",
      `Disk '${one.name}' cannot be attached as it is already owned by VM '${user.id}'.`,
    );
  }
}

/** https://learn.microsoft.com/azure/virtual-machines/linux/faq */
const FORBIDDEN_USERS = (
  "1 123 a actuser adm admin admin1 admin2 administrator aspnet backup console david guest john owner root server sql " +
  "support support_388945a0 sys test test1 test2 test3 user user1 user2 user3 user4 user5 video"
).split(" ");

const MOST_CUSTOM_DATA = 65_535;

function refuseUser({ properties }: Put): void {
  const user = textAt(properties, "osProfile.adminUsername");
  if (FORBIDDEN_USERS.includes(user.toLowerCase())) {
    throw invalid("adminUsername", "The Admin Username specified is not allowed.");
  }
  if (!/^[a-z_][\w-]{0,63}$/i.test(user))
    throw invalid("adminUsername", `"${user}" is no user name.`);
  const computer = textAt(properties, "osProfile.computerName");
  if (!/^[A-Za-z0-9]([A-Za-z0-9-]{0,62}[A-Za-z0-9])?$/.test(computer)) {
    throw invalid(
      "computerName",
      `Linux host name "${computer}" must be 1 to 64 letters, digits and hyphens.`,
    );
  }
  refuseCustomData(at(properties, "osProfile.customData"));
  refuseLogin(properties, user);
}

function refuseCustomData(data: unknown): void {
  if (data === undefined) return;
  const text = typeof data === "string" ? data : "";
  const decoded = Buffer.from(text, "base64");
  const isBase64 = decoded.toString("base64").replace(/=+$/, "") === text.replace(/\s|=+$/g, "");
  if (isBase64 && decoded.length <= MOST_CUSTOM_DATA) return;
  throw invalid(
    "customData",
    `Custom data in OSProfile must be in Base64 encoding and with a maximum length of 87380 characters` +
      (isBase64 ? ` (it is ${text.length}).` : "."),
  );
}

function refuseLogin(properties: Properties, user: string): void {
  const path = "osProfile.linuxConfiguration";
  const keys = listAt(properties, `${path}.ssh.publicKeys`).filter(isObject);
  const passwordLogin = at(properties, `${path}.disablePasswordAuthentication`) !== true;
  if (passwordLogin && textAt(properties, "osProfile.adminPassword") === "") {
    throw invalid("adminPassword", "is required while password authentication isn't disabled.");
  }
  if (!passwordLogin && keys.length === 0) {
    throw invalid(
      "linuxConfiguration.ssh.publicKeys",
      "Authentication using either SSH or by user name and password must be enabled in Linux profile.",
    );
  }
  const place = `/home/${user}/.ssh/authorized_keys`;
  for (const key of keys) {
    if (textAt(key, "path") !== place) {
      throw invalid(
        "linuxConfiguration.ssh.publicKeys.path",
        `Destination path for SSH public keys is currently limited to its default value ${place}.`,
      );
    }
    if (!isPublicKey(textAt(key, "keyData"))) {
      throw invalid(
        "linuxConfiguration.ssh.publicKeys.keyData",
        "The value is no SSH public key. Only RSA of at least 2048 bits and ED25519 are taken.",
      );
    }
  }
}

/** RSA from 2048 bits on, or Ed25519: the only ones that Azure takes. */
export function isPublicKey(text: string): boolean {
  const [type, data = ""] = text.trim().split(/\s+/);
  const blob = Buffer.from(data, "base64");
  if (blob.length < 8 || blob.subarray(4, 4 + blob.readUInt32BE(0)).toString() !== type)
    return false;
  if (type === "ssh-ed25519") return blob.length === 51;
  return type === "ssh-rsa" && blob.length >= 256 + 20;
}

function refuseInterfaces(put: Put): void {
  const ids = interfacesOf(put.properties);
  if (ids.length === 0)
    throw invalid("networkProfile.networkInterfaces", "at least one is required.");
  for (const id of ids) {
    referenced(put, "networkProfile.networkInterfaces", id, INTERFACE);
    const user = put.cloud
      .all(MACHINE)
      .find(
        (other) =>
          !sameId(other.id, put.id) &&
          interfacesOf(other.properties).some((its) => sameId(its, id)),
      );
    if (user === undefined) continue;
    throw conflict("NicInUse", `Network Interface ${id} is used by existing resource ${user.id}.`);
  }
}
