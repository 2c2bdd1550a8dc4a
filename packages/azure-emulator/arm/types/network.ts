import { createHash, randomInt } from "node:crypto";
import { badRequest, conflict } from "../armError";
import { contains, formatAddress, overlap, parseRange, Range } from "../cidr";
import {
  ANY_NAME,
  etag,
  idOf,
  invalid,
  kept,
  Put,
  referenced,
  Resource,
  ResourceType,
  sameId,
  View,
} from "../resourceType";
import { isObject, listAt, Properties, textAt, Value } from "../values";

const NETWORK = "azure-native:network:VirtualNetwork";
const SUBNET = "azure-native:network:Subnet";
const GROUP = "azure-native:network:NetworkSecurityGroup";
const ADDRESS = "azure-native:network:PublicIPAddress";
const INTERFACE = "azure-native:network:NetworkInterface";
const MACHINE = "azure-native:compute:VirtualMachine";

export const virtualNetwork: ResourceType = {
  token: NETWORK,
  armType: "Microsoft.Network/virtualNetworks",
  path: ["resourceGroupName", "virtualNetworkName"],
  located: true,
  immutable: [],
  nameRule: ANY_NAME,
  seconds: { create: 4, update: 3, remove: 10 },
  refuse: (put) => {
    const ranges = rangesAt(put.properties, "addressSpace.addressPrefixes", put);
    if (ranges.length === 0) throw invalid("addressSpace", "at least one prefix is required.");
    ranges.forEach(([text, range], i) => {
      const other = ranges.slice(i + 1).find(([, another]) => overlap(range, another));
      if (other === undefined) return;
      throw badRequest(
        "VnetAddressPrefixesOverlap",
        `Address prefixes ${text} and ${other[0]} of the virtual network ${put.name} overlap.`,
      );
    });
    for (const subnet of subnetsOf(put.id, put.cloud)) {
      const prefix = textAt(subnet.properties, "addressPrefix");
      if (inSome(prefix, ranges)) continue;
      throw badRequest(
        "InUsePrefixCannotBeDeleted",
        `The address space of ${put.name} must go on to hold ${prefix} of its subnet ${subnet.name}.`,
      );
    }
    if (listAt(put.properties, "subnets").length > 0) {
      throw new Error(
        "The rehearsal has subnets as resources of their own only: inline ones and those delete each other.",
      );
    }
  },
  refuseRemoval: (network, cloud) => {
    for (const subnet of subnetsOf(network.id, cloud)) refuseUsedSubnet(subnet, cloud);
  },
  compute: (put) => ({
    ...common(put, "Microsoft.Network/virtualNetworks"),
    resourceGuid: kept(put, "resourceGuid", () => crypto.randomUUID()),
  }),
};

export const subnet: ResourceType = {
  token: SUBNET,
  armType: "Microsoft.Network/virtualNetworks/subnets",
  path: ["resourceGroupName", "virtualNetworkName", "subnetName"],
  located: false,
  immutable: [],
  nameRule: ANY_NAME,
  seconds: { create: 4, update: 4, remove: 10 },
  refuse: (put) => {
    const { properties, cloud } = put;
    const networkId = idOf(virtualNetwork, cloud.subscription, properties);
    const network = cloud.get(networkId);
    if (network === undefined) {
      throw badRequest(
        "ParentResourceNotFound",
        `The virtual network ${networkId} of the subnet ${put.name} was not found.`,
      );
    }
    const prefix = textAt(properties, "addressPrefix");
    const range = parseRange(prefix);
    if (range === undefined || range.size < 8) {
      throw badRequest(
        "InvalidCIDRNotation",
        `The address prefix ${prefix} of the subnet ${put.name} is no range of at least a /29.`,
      );
    }
    if (!inSome(prefix, rangesAt(network.properties, "addressSpace.addressPrefixes", put))) {
      throw badRequest(
        "NetcfgInvalidSubnet",
        `Subnet '${put.name}' is not valid because its IP address range is outside the IP address range of virtual ` +
          `network '${network.name}'.`,
      );
    }
    const others = subnetsOf(networkId, cloud).filter(({ id }) => !sameId(id, put.id));
    const other = others.find((one) => {
      const its = parseRange(textAt(one.properties, "addressPrefix"));
      return its !== undefined && overlap(range, its);
    });
    if (other !== undefined) {
      throw badRequest(
        "NetcfgInvalidSubnet",
        `Subnet '${put.name}' is not valid because its IP address range overlaps with that of an existing subnet, '${other.name}'.`,
      );
    }
    const group = textAt(properties, "networkSecurityGroup.id");
    if (group !== "") referenced(put, "networkSecurityGroup", group, GROUP);
  },
  refuseRemoval: refuseUsedSubnet,
  compute: (put) => common(put, "Microsoft.Network/virtualNetworks/subnets"),
};

export const networkSecurityGroup: ResourceType = {
  token: GROUP,
  armType: "Microsoft.Network/networkSecurityGroups",
  path: ["resourceGroupName", "networkSecurityGroupName"],
  located: true,
  immutable: [],
  nameRule: ANY_NAME,
  seconds: { create: 3, update: 3, remove: 5 },
  refuse: ({ properties }) => {
    const rules = listAt(properties, "securityRules").filter(isObject);
    rules.forEach(refuseRule);
    rules.forEach((rule, i) => {
      const other = rules
        .slice(i + 1)
        .find(
          (one) =>
            one["priority"] === rule["priority"] &&
            word(one, "direction") === word(rule, "direction"),
        );
      if (other === undefined) return;
      throw badRequest(
        "SecurityRuleConflict",
        `Security rule ${textAt(other, "name")} conflicts with rule ${textAt(rule, "name")}. Rules cannot have the same ` +
          `Priority and Direction.`,
      );
    });
  },
  refuseRemoval: (group, cloud) => {
    const user = [...cloud.all(SUBNET), ...cloud.all(INTERFACE)].find(({ properties }) =>
      sameId(textAt(properties, "networkSecurityGroup.id"), group.id),
    );
    if (user === undefined) return;
    throw badRequest(
      "InUseNetworkSecurityGroupCannotBeDeleted",
      `Network security group ${group.id} cannot be deleted because it is in use by ${user.id}.`,
    );
  },
  compute: (put) => ({
    ...common(put, "Microsoft.Network/networkSecurityGroups"),
    resourceGuid: kept(put, "resourceGuid", () => crypto.randomUUID()),
  }),
};

export const publicIPAddress: ResourceType = {
  token: ADDRESS,
  armType: "Microsoft.Network/publicIPAddresses",
  path: ["resourceGroupName", "publicIpAddressName"],
  located: true,
  immutable: ["sku", "publicIPAddressVersion", "zones"],
  nameRule: ANY_NAME,
  seconds: { create: 3, update: 3, remove: 8 },
  refuse: (put) => {
    const { properties, cloud } = put;
    if (word(properties, "sku.name") !== "standard") {
      throw badRequest(
        "IPv4BasicSkuPublicIpCountLimitReached",
        "Cannot create more than 0 IPv4 Basic SKU public IP addresses for this subscription in this region.",
      );
    }
    if (word(properties, "publicIPAllocationMethod") !== "static") {
      throw badRequest(
        "StandardSkuPublicIpMustBeStatic",
        `The public IP address ${put.name} has the Standard SKU: its allocation method must be Static.`,
      );
    }
    const label = textAt(properties, "dnsSettings.domainNameLabel");
    if (label === "") return;
    if (!/^[a-z][a-z0-9-]{1,61}[a-z0-9]$/.test(label)) {
      throw badRequest(
        "InvalidDomainNameLabel",
        `The domain name label ${label} is invalid. It must conform to the following regular expression: ` +
          `^[a-z][a-z0-9-]{1,61}[a-z0-9]$.`,
      );
    }
    const taken = cloud
      .all(ADDRESS)
      .some(
        (other) =>
          !sameId(other.id, put.id) &&
          textAt(other.properties, "dnsSettings.domainNameLabel") === label &&
          textAt(other.properties, "location") === textAt(properties, "location"),
      );
    if (!taken) return;
    throw badRequest(
      "DnsRecordInUse",
      `DNS record ${fqdn(properties)} is already used by another public IP.`,
    );
  },
  refuseRemoval: (address, cloud) => {
    const user = cloud
      .all(INTERFACE)
      .find((nic) => configurationOf(nic, "publicIPAddress", address.id));
    if (user === undefined) return;
    throw badRequest(
      "PublicIPAddressCannotBeDeleted",
      `Public IP address ${address.id} can not be deleted since it is still allocated to resource ${user.id}.`,
    );
  },
  compute: (put) => ({
    ...common(put, "Microsoft.Network/publicIPAddresses"),
    ipAddress: kept(put, "ipAddress", () => freeAddress(put)),
    ...(textAt(put.properties, "dnsSettings.domainNameLabel") !== "" && {
      dnsSettings: {
        domainNameLabel: textAt(put.properties, "dnsSettings.domainNameLabel"),
        fqdn: fqdn(put.properties),
      },
    }),
    resourceGuid: kept(put, "resourceGuid", () => crypto.randomUUID()),
  }),
};

export const networkInterface: ResourceType = {
  token: INTERFACE,
  armType: "Microsoft.Network/networkInterfaces",
  path: ["resourceGroupName", "networkInterfaceName"],
  located: true,
  immutable: [],
  nameRule: ANY_NAME,
  seconds: { create: 2, update: 2, remove: 5 },
  refuse: (put) => {
    const configurations = listAt(put.properties, "ipConfigurations").filter(isObject);
    if (configurations.length === 0) {
      throw badRequest(
        "NetworkInterfaceMustHaveOneIpConfiguration",
        `Network interface ${put.name} must have one or more IP configurations.`,
      );
    }
    for (const configuration of configurations) refuseConfiguration(put, configuration);
    const group = textAt(put.properties, "networkSecurityGroup.id");
    if (group !== "") referenced(put, "networkSecurityGroup", group, GROUP);
  },
  refuseRemoval: (nic, cloud) => {
    const user = cloud
      .all(MACHINE)
      .find(({ properties }) =>
        listAt(properties, "networkProfile.networkInterfaces").some((one) =>
          sameId(textAt(one, "id"), nic.id),
        ),
      );
    if (user === undefined) return;
    throw badRequest(
      "NicInUse",
      `Network Interface ${nic.id} is used by existing resource ${user.id}. In order to delete the network interface, it ` +
        `must be dissociated from the resource.`,
    );
  },
  compute: (put) => ({
    ...common(put, "Microsoft.Network/networkInterfaces"),
    macAddress: kept(put, "macAddress", () => macAddress(put.id)),
    ipConfigurations: listAt(put.properties, "ipConfigurations").map((configuration, i) =>
      isObject(configuration)
        ? {
            ...configuration,
            id: `${put.id}/ipConfigurations/${textAt(configuration, "name")}`,
            privateIPAddress: privateAddress(put, configuration, i),
            provisioningState: "Succeeded",
          }
        : configuration,
    ),
  }),
};

function common({ name }: Put, type: string): Properties {
  return { name, type, provisioningState: "Succeeded", etag: etag() };
}

function rangesAt(properties: Properties, path: string, put: Put): [string, Range][] {
  return listAt(properties, path).map((text) => {
    const range = typeof text === "string" ? parseRange(text) : undefined;
    if (range === undefined) {
      throw badRequest(
        "InvalidAddressPrefixFormat",
        `Address prefix ${JSON.stringify(text)} of resource ${put.id} is not formatted correctly.`,
      );
    }
    return [text as string, range];
  });
}

function inSome(prefix: string, ranges: readonly [string, Range][]): boolean {
  const range = parseRange(prefix);
  return range !== undefined && ranges.some(([, outer]) => contains(outer, range));
}

function subnetsOf(networkId: string, cloud: View): Resource[] {
  return cloud
    .all(SUBNET)
    .filter(({ id }) => id.toLowerCase().startsWith(`${networkId.toLowerCase()}/`));
}

function refuseUsedSubnet(one: Resource, cloud: View): void {
  const user = cloud.all(INTERFACE).find((nic) => configurationOf(nic, "subnet", one.id));
  if (user === undefined) return;
  throw badRequest(
    "InUseSubnetCannotBeDeleted",
    `Subnet ${one.name} is in use by ${user.id} and cannot be deleted. In order to delete the subnet, delete all the ` +
      `resources within the subnet.`,
  );
}

function configurationOf(nic: Resource, property: string, id: string): boolean {
  return listAt(nic.properties, "ipConfigurations").some((one) =>
    sameId(textAt(one, `${property}.id`), id),
  );
}

function word(value: Value, path: string): string {
  return textAt(value, path).toLowerCase();
}

const TAGS = ["*", "internet", "virtualnetwork", "azureloadbalancer"];

function refuseRule(rule: Properties): void {
  const name = textAt(rule, "name");
  if (!ANY_NAME.test(name))
    throw badRequest("InvalidResourceName", `Security rule name "${name}" is invalid.`);
  const { priority } = rule;
  if (
    typeof priority !== "number" ||
    !Number.isInteger(priority) ||
    priority < 100 ||
    priority > 4096
  ) {
    throw badRequest(
      "SecurityRuleInvalidPriority",
      `Security rule ${name} has invalid priority ${JSON.stringify(priority)}. It must be between 100 and 4096.`,
    );
  }
  for (const [one, several, check, code] of [
    ["sourcePortRange", "sourcePortRanges", isPortRange, "SecurityRuleInvalidPortRange"],
    ["destinationPortRange", "destinationPortRanges", isPortRange, "SecurityRuleInvalidPortRange"],
    [
      "sourceAddressPrefix",
      "sourceAddressPrefixes",
      isAddressPrefix,
      "SecurityRuleInvalidAddressPrefix",
    ],
    [
      "destinationAddressPrefix",
      "destinationAddressPrefixes",
      isAddressPrefix,
      "SecurityRuleInvalidAddressPrefix",
    ],
  ] as const) {
    const values = [...listAt(rule, several), ...(rule[one] === undefined ? [] : [rule[one]])];
    if (values.length === 0) {
      throw badRequest(
        "SecurityRuleParameterNotSpecified",
        `Security rule ${name}: one of ${one} and ${several} must be given.`,
      );
    }
    const wrong = values.find((value) => typeof value !== "string" || !check(value));
    if (wrong !== undefined) {
      throw badRequest(
        code,
        `Security rule ${name} has invalid ${one}. Value provided: ${JSON.stringify(wrong)}.`,
      );
    }
  }
}

function isPortRange(text: string): boolean {
  if (text === "*") return true;
  const ends = text.split("-").map((end) => (/^\d{1,5}$/.test(end) ? Number(end) : NaN));
  const [from = NaN, to = from] = ends;
  return ends.length <= 2 && from >= 0 && to <= 65535 && from <= to;
}

function isAddressPrefix(text: string): boolean {
  return TAGS.includes(text.toLowerCase()) || parseRange(text) !== undefined;
}

function refuseConfiguration(put: Put, configuration: Properties): void {
  const subnetId = textAt(configuration, "subnet.id");
  if (subnetId === "") throw invalid("ipConfigurations.subnet", "is required.");
  const where = referenced(put, "subnet", subnetId, SUBNET);
  const address = textAt(configuration, "publicIPAddress.id");
  if (address !== "") {
    referenced(put, "publicIPAddress", address, ADDRESS);
    const user = put.cloud
      .all(INTERFACE)
      .find((nic) => !sameId(nic.id, put.id) && configurationOf(nic, "publicIPAddress", address));
    if (user !== undefined) {
      throw badRequest(
        "PublicIPAddressInUse",
        `Resource ${put.id} is referencing public IP address ${address} that is already allocated to resource ${user.id}.`,
      );
    }
  }
  const wanted = textAt(configuration, "privateIPAddress");
  if (word(configuration, "privateIPAllocationMethod") !== "static" || wanted === "") return;
  const range = parseRange(textAt(where.properties, "addressPrefix"));
  const its = parseRange(wanted);
  if (range !== undefined && its !== undefined && contains(range, its)) return;
  throw badRequest(
    "PrivateIPAddressNotInSubnet",
    `Private static IP address ${wanted} does not belong to the range of subnet prefix ${textAt(where.properties, "addressPrefix")}.`,
  );
}

function fqdn(properties: Properties): string {
  const label = textAt(properties, "dnsSettings.domainNameLabel");
  return `${label}.${textAt(properties, "location")}.cloudapp.azure.com`;
}

/** 127.77.x.y plays the public IP: an address that this machine has, and nobody else can reach. */
function freeAddress({ cloud }: Put): string {
  const taken = cloud.all(ADDRESS).map(({ computed }) => computed["ipAddress"]);
  for (let attempt = 0; attempt < 1000; attempt++) {
    const address = `127.77.${randomInt(1, 255)}.${randomInt(1, 255)}`;
    if (!taken.includes(address)) return address;
  }
  throw conflict("PublicIPCountLimitReached", "There are no public IP addresses left.");
}

function macAddress(id: string): string {
  const digest = createHash("sha256").update(id).digest("hex").slice(0, 6).toUpperCase();
  return `00-0D-3A-${digest.slice(0, 2)}-${digest.slice(2, 4)}-${digest.slice(4, 6)}`;
}

/** Azure keeps the first four addresses of a subnet and its last one. */
function privateAddress(put: Put, configuration: Properties, index: number): string {
  const given = textAt(configuration, "privateIPAddress");
  if (given !== "") return given;
  const before = textAt(put.before?.computed, `ipConfigurations.${index}.privateIPAddress`);
  if (before !== "") return before;
  const subnetId = textAt(configuration, "subnet.id");
  const range = parseRange(textAt(put.cloud.get(subnetId)?.properties, "addressPrefix"));
  const taken = put.cloud
    .all(INTERFACE)
    .flatMap((nic) =>
      listAt(nic.computed, "ipConfigurations").map((one) => textAt(one, "privateIPAddress")),
    );
  for (let i = 4; range !== undefined && i < range.size - 1; i++) {
    const address = formatAddress(range.first + i);
    if (!taken.includes(address)) return address;
  }
  throw badRequest(
    "SubnetIsFull",
    `Subnet ${subnetId} does not have enough capacity for 1 IP addresses.`,
  );
}
