import { badRequest } from "../../armError";
import { contains, overlap, parseRange, Range } from "../../cidr";
import {
  ANY_NAME,
  idOf,
  invalid,
  computedOnce,
  Put,
  referenced,
  Resource,
  ResourceType,
  sameId,
  View,
} from "../../resourceType";
import { listAt, Properties, textAt } from "../../values";
import { common, configurationOf, GROUP, INTERFACE, NETWORK, SUBNET } from "./common";

export const virtualNetwork: ResourceType = {
  token: NETWORK,
  armType: "Microsoft.Network/virtualNetworks",
  path: ["resourceGroupName", "virtualNetworkName"],
  located: true,
  immutable: [],
  nameRule: ANY_NAME,
  seconds: { create: 4, update: 3, remove: 10 },
  validate: (put) => {
    const ranges = rangesAt(put.properties, "addressSpace.addressPrefixes", put);
    if (ranges.length === 0) throw invalid("addressSpace", "at least one prefix is required.");
    validateUnreserved(ranges, put);
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
      if (isInSomeRange(prefix, ranges)) continue;
      throw badRequest(
        "InUsePrefixCannotBeDeleted",
        `The address space of ${put.name} must contain the prefix ${prefix} of its subnet ${subnet.name}.`,
      );
    }
    validateInlineSubnets(put);
  },
  validateRemoval: (network, cloud) => {
    for (const subnet of subnetsOf(network.id, cloud)) validateUnusedSubnet(subnet, cloud);
  },
  compute: (put) => ({
    ...common(put, "Microsoft.Network/virtualNetworks"),
    resourceGuid: computedOnce(put, "resourceGuid", () => crypto.randomUUID()),
  }),
  defaults: () => ({
    enableDdosProtection: false,
    privateEndpointVNetPolicies: "Disabled",
    virtualNetworkPeerings: [],
  }),
  related: (network, cloud) => ({
    subnets: subnetsOf(network.id, cloud).map(({ id, name, properties }) => ({
      id,
      name,
      addressPrefix: properties["addressPrefix"],
      provisioningState: "Succeeded",
    })),
  }),
  subResources: ["subnets", "virtualNetworkPeerings"],
};

export const subnet: ResourceType = {
  token: SUBNET,
  armType: "Microsoft.Network/virtualNetworks/subnets",
  path: ["resourceGroupName", "virtualNetworkName", "subnetName"],
  located: false,
  immutable: [],
  nameRule: ANY_NAME,
  seconds: { create: 4, update: 4, remove: 10 },
  validate: (put) => {
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
        `The address prefix ${prefix} of the subnet ${put.name} is not a CIDR range of /29 or larger.`,
      );
    }
    if (!isInSomeRange(prefix, rangesAt(network.properties, "addressSpace.addressPrefixes", put))) {
      throw badRequest(
        "NetcfgInvalidSubnet",
        `Subnet '${put.name}' is not valid because its IP address range is outside the IP address range of virtual ` +
          `network '${network.name}'.`,
      );
    }
    const others = subnetsOf(networkId, cloud).filter(({ id }) => !sameId(id, put.id));
    const other = others.find((one) => {
      const otherRange = parseRange(textAt(one.properties, "addressPrefix"));
      return otherRange !== undefined && overlap(range, otherRange);
    });
    if (other !== undefined) {
      throw badRequest(
        "NetcfgInvalidSubnet",
        `Subnet '${put.name}' is not valid because its IP address range overlaps with that of an existing subnet, '${other.name}'.`,
      );
    }
    const group = textAt(properties, "networkSecurityGroup.id");
    if (group !== "") referenced(put, "networkSecurityGroup", group, GROUP);
    if (put.before !== undefined) validateKeptRange(put.before, prefix, cloud);
  },
  validateRemoval: validateUnusedSubnet,
  compute: (put) => common(put, "Microsoft.Network/virtualNetworks/subnets"),
  defaults: () => ({
    delegations: [],
    privateEndpointNetworkPolicies: "Disabled",
    privateLinkServiceNetworkPolicies: "Enabled",
  }),
  related: (one, cloud) => ({
    ipConfigurations: cloud
      .all(INTERFACE)
      .filter((nic) => configurationOf(nic, "subnet", one.id))
      .flatMap((nic) => listAt(nic.computed, "ipConfigurations"))
      .map((configuration) => ({ id: textAt(configuration, "id") })),
  }),
};

/** A request may list the subnets that exist, as a GET of the network does. */
function validateInlineSubnets({ properties, id, cloud }: Put): void {
  const known = subnetsOf(id, cloud);
  const added = listAt(properties, "subnets").some(
    (one) => !known.some(({ name }) => name.toLowerCase() === textAt(one, "name").toLowerCase()),
  );
  if (!added) return;
  throw new Error(
    "The Azure emulator doesn't support inline subnets, because inline subnets and subnet resources delete each other. Use Subnet resources.",
  );
}

function validateKeptRange(before: Resource, prefix: string, cloud: View): void {
  const old = textAt(before.properties, "addressPrefix");
  const isUsed = cloud.all(INTERFACE).some((nic) => configurationOf(nic, "subnet", before.id));
  if (old === prefix || !isUsed) return;
  throw badRequest(
    "InUsePrefixCannotBeDeleted",
    `IpPrefix ${old} on Subnet ${before.name} has active allocations and cannot be deleted.`,
  );
}

/** Ranges that no virtual network may contain: multicast, broadcast, loopback, link-local, and Azure's own address. */
const RESERVED = [
  "224.0.0.0/4",
  "255.255.255.255/32",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "168.63.129.16/32",
];

/** @see https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq */
function validateUnreserved(ranges: readonly [string, Range][], put: Put): void {
  const wrong = ranges.find(([, range]) =>
    RESERVED.some((text) => {
      const reserved = parseRange(text);
      return reserved !== undefined && overlap(range, reserved);
    }),
  );
  if (wrong === undefined) return;
  throw badRequest(
    "AddressPrefixNotAllowed",
    `Address prefix ${wrong[0]} of resource ${put.id} overlaps with a range that Azure reserves: ${RESERVED.join(", ")}.`,
  );
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

function isInSomeRange(prefix: string, ranges: readonly [string, Range][]): boolean {
  const range = parseRange(prefix);
  return range !== undefined && ranges.some(([, outer]) => contains(outer, range));
}

function subnetsOf(networkId: string, cloud: View): Resource[] {
  return cloud
    .all(SUBNET)
    .filter(({ id }) => id.toLowerCase().startsWith(`${networkId.toLowerCase()}/`));
}

function validateUnusedSubnet(one: Resource, cloud: View): void {
  const user = cloud.all(INTERFACE).find((nic) => configurationOf(nic, "subnet", one.id));
  if (user === undefined) return;
  throw badRequest(
    "InUseSubnetCannotBeDeleted",
    `Subnet ${one.name} is in use by ${user.id} and cannot be deleted. In order to delete the subnet, delete all the ` +
      `resources within the subnet.`,
  );
}
