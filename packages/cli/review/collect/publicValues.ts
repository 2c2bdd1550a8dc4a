import ipaddr from "ipaddr.js";
import type { Change } from "../model/reviewModel";

/** Inputs of a resource. Secrets are in it, as the engine's mark or, in old states, in plain text. */
type Inputs = Readonly<Record<string, unknown>>;

/** A property with a public value: its name in texts, and how to read it. The value must match `form` besides. */
interface PublicProperty {
  readonly name: string;
  readonly read: (inputs: Inputs) => unknown;
  readonly form: (value: string) => boolean;
}

const at =
  (...path: readonly (string | number)[]) =>
  (inputs: Inputs): unknown =>
    path.reduce<unknown>(
      (value, key) =>
        typeof value === "object" && value !== null
          ? (value as Record<string | number, unknown>)[key]
          : undefined,
      inputs,
    );

const matches =
  (pattern: RegExp) =>
  (value: string): boolean =>
    pattern.test(value);

const COUNT = matches(/^\d{1,9}$/);
const SKU = matches(/^(Basic|Standard|Premium|Ultra|PremiumV2|StandardSSD)(_[A-Z0-9]{1,8})?$/);
const VM_SIZE = matches(/^Standard_[A-Z]{1,4}\d{1,3}[a-z]{0,4}(-\d{1,2}[a-z]{0,4})?(_v\d)?$/);
const IMAGE_TAG = matches(/^[a-z0-9][a-z0-9._-]{0,60}:[A-Za-z0-9][A-Za-z0-9._-]{0,60}$/);
const VERSION = matches(/^(latest|\d{1,6}(\.\d{1,12}){1,3})$/);

/**
 * The allow-list: the only properties whose values are printed, by type. All others appear by name alone, because any of them may
 * hold a secret. Add a property only if its value can be published whatever a user configures.
 */
const PUBLIC_PROPERTIES: Readonly<Record<string, readonly PublicProperty[]>> = {
  "docker:index/container:Container": [
    { name: "memory (MiB)", read: at("memory"), form: COUNT },
    { name: "port", read: portOf, form: COUNT },
  ],
  "docker:index/remoteImage:RemoteImage": [{ name: "image", read: imageOf, form: IMAGE_TAG }],
  "azure-native:compute:VirtualMachine": [
    { name: "vmSize", read: at("hardwareProfile", "vmSize"), form: VM_SIZE },
    {
      name: "imageVersion",
      read: at("storageProfile", "imageReference", "version"),
      form: VERSION,
    },
  ],
  "azure-native:compute:Disk": [
    { name: "diskSizeGB", read: at("diskSizeGB"), form: COUNT },
    { name: "sku", read: at("sku", "name"), form: SKU },
  ],
  "azure-native:compute:Snapshot": [{ name: "sku", read: at("sku", "name"), form: SKU }],
  "azure-native:authorization:ManagementLockByScope": [
    { name: "level", read: at("level"), form: matches(/^(CanNotDelete|ReadOnly)$/) },
  ],
  "azure-native:network:VirtualNetwork": [
    {
      name: "addressPrefixes",
      read: at("addressSpace", "addressPrefixes"),
      form: isAddressRange,
    },
  ],
  "azure-native:network:Subnet": [
    { name: "addressPrefix", read: at("addressPrefix"), form: isAddressRange },
  ],
  "azure-native:network:PublicIPAddress": [{ name: "sku", read: at("sku", "name"), form: SKU }],
  "azure-native:dns:RecordSet": [
    { name: "ttl", read: at("ttl"), form: COUNT },
    { name: "address", read: at("aRecords", 0, "ipv4Address"), form: isAddressRange },
  ],
  "azure-native:containerregistry:Registry": [{ name: "sku", read: at("sku", "name"), form: SKU }],
};

/** Returns the public values that differ between the inputs before and after. */
export function publicChanges(
  type: string,
  before: Inputs | undefined,
  after: Inputs | undefined,
): Change[] {
  return [...(PUBLIC_PROPERTIES[typeKey(type)] ?? []), ...securityRules(type, before, after)]
    .map((property) => ({
      property: property.name,
      ...defined("before", publicValue(property, before)),
      ...defined("after", publicValue(property, after)),
    }))
    .filter((change) => change.before !== change.after);
}

/** Type without the API version, for example "azure-native:network:Subnet" for "azure-native:network/v20240501:Subnet". */
export function typeKey(type: string): string {
  return type.startsWith("azure-native:") ? type.replace(/\/v\d{8}\w*(?=:)/, "") : type;
}

/** Checks that a text is an IPv4 or IPv6 address, a range of addresses, or "*". */
function isAddressRange(value: string): boolean {
  return value === "*" || ipaddr.isValid(value) || ipaddr.isValidCIDR(value);
}

/** Azure's name for all addresses outside of its virtual networks, as the source of a rule. */
export const INTERNET = "Internet";

function isSource(value: string): boolean {
  return value === INTERNET || isAddressRange(value);
}

function defined<K extends string>(key: K, value: string | undefined): Partial<Record<K, string>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, string>);
}

/** Returns undefined for a value that isn't in its form, for example unknown or secret. */
function publicValue({ read, form }: PublicProperty, inputs: Inputs = {}): string | undefined {
  const value = read(inputs);
  const values = (Array.isArray(value) ? value : [value]) as readonly unknown[];
  const texts = values.map((one) => (typeof one === "number" ? String(one) : one));
  const isPublic = (one: unknown): one is string => typeof one === "string" && form(one);
  return texts.length > 0 && texts.every(isPublic) ? texts.join(", ") : undefined;
}

/** The name and tag of an image without its registry and digest. */
function imageOf(inputs: Inputs): string | undefined {
  const name = inputs["name"];
  return typeof name === "string" ? name.split("@")[0]?.split("/").at(-1) : undefined;
}

function portOf(inputs: Inputs): unknown {
  const ports = inputs["ports"];
  return Array.isArray(ports) ? ports.map((port) => at("external")(port as Inputs)) : undefined;
}

/** One property for the sources of each port that is or will be open. Names of rules aren't printed. */
function securityRules(
  type: string,
  before: Inputs | undefined,
  after: Inputs | undefined,
): PublicProperty[] {
  if (typeKey(type) !== "azure-native:network:NetworkSecurityGroup") return [];
  const all = [before, after].flatMap((inputs) => rulesOf(inputs).map(({ ports }) => ports));
  return [...new Set(all)].map((ports) => ({
    name: `port ${ports}`,
    read: (inputs) =>
      rulesOf(inputs)
        .filter((rule) => rule.ports === ports)
        .flatMap(({ sources }) => sources),
    form: isSource,
  }));
}

/** Ports that a network security group opens. */
export interface InboundRule {
  readonly ports: string;
  readonly sources: readonly string[];
}

const PORTS = matches(/^(\*|\d{1,5}(-\d{1,5})?)$/);

/** Returns the rules that let connections in. A value in an unknown form is replaced by "?". */
export function rulesOf(inputs: Inputs | undefined): InboundRule[] {
  const rules = inputs?.["securityRules"];
  if (!Array.isArray(rules)) return [];
  return (rules as readonly Inputs[]).flatMap((rule) => {
    if (rule["direction"] !== "Inbound" || rule["access"] !== "Allow") return [];
    const ports = texts(rule["destinationPortRanges"] ?? rule["destinationPortRange"]);
    const sources = texts(rule["sourceAddressPrefixes"] ?? rule["sourceAddressPrefix"]);
    return [
      {
        ports: ports.every(PORTS) ? ports.join(", ") : "?",
        sources: sources.map((source) => (isSource(source) ? source : "?")),
      },
    ];
  });
}

function texts(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).map(String);
}

/**
 * Names of properties that are printed. A list, although providers declare names in a schema, because a dynamic resource may have
 * any name, which may be a value in the wrong place.
 */
const PUBLIC_NAMES: ReadonlySet<string> = new Set(
  (
    "aRecords addressPrefix addressPrefixes addressSpace adminUserEnabled architecture assetPaths build capabilities " +
    "command connection cpus create creationData dailyRecurrence delete destroyGraceSeconds diagnosticsProfile diskSizeGB " +
    "dnsSettings driver driverOpts entrypoints environment envs hardwareProfile healthcheck image incremental init internal " +
    "ipConfigurations keepLocally labels length level location lockName logDriver logOpts memory memorySwap mounts name " +
    "networkProfile networkSecurityGroup networksAdvanced notes osProfile platform ports publicIPAllocationMethod " +
    "pullTriggers readOnly relativeRecordSetName replacementTrigger repoDigest restart scope securityOpts securityProfile securityRules shmSize " +
    "sku snapshotName special status stdin stopTimeout storageProfile subnets tags targetResourceId timeZoneId tmpfs " +
    "triggers ttl update user volumes wait waitTimeout zoneName"
  ).split(" "),
);

/** Names of properties within others that are printed. */
const PUBLIC_INNER_NAMES: ReadonlySet<string> = new Set(
  (
    "additionalCapabilities adminUsername assessmentMode bootDiagnostics caching computerName createOption customData " +
    "dataDisks deleteOption disablePasswordAuthentication diskSizeGB enabled encryptionAtHost imageReference linuxConfiguration " +
    "lun managedDisk networkInterfaces offer osDisk patchMode patchSettings primary provisionVMAgent publicKeys publisher " +
    "secureBootEnabled securityType sku ssh storageAccountType uefiSettings ultraSSDEnabled vTpmEnabled version vmSize"
  ).split(" "),
);

/** Returns the paths of properties without indexes, up to the first name that isn't printed; "?" if that is the whole path. */
export function propertyPaths(paths: readonly string[]): string[] {
  const known = paths.map((path) => {
    const [first = "", ...inner] = path.split(/[.[\]"]+/).filter((name) => !/^\d*$/.test(name));
    const end = inner.findIndex((name) => !PUBLIC_INNER_NAMES.has(name));
    return PUBLIC_NAMES.has(first)
      ? [first, ...inner.slice(0, end < 0 ? undefined : end)].join(".")
      : "?";
  });
  return [...new Set(known)].sort();
}

/** Returns the names of changed properties, without their keys in lists and maps; "?" for a name that isn't printed. */
export function propertyNames(paths: readonly string[]): string[] {
  const names = paths.map((path) => /^[^.[]*/.exec(path)?.[0] ?? "");
  return [...new Set(names.map((name) => (PUBLIC_NAMES.has(name) ? name : "?")))].sort();
}
