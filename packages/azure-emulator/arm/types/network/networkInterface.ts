import { createHash } from "node:crypto";
import { badRequest } from "../../armError";
import { contains, formatAddress, parseRange } from "../../cidr";
import {
  ANY_NAME,
  invalid,
  computedOnce,
  Put,
  referenced,
  Resource,
  ResourceType,
  sameId,
  View,
} from "../../resourceType";
import { isObject, listAt, Properties, textAt } from "../../values";
import { reserved } from "../compute/interfaces";
import { interfacesOf } from "../compute/references";
import {
  ADDRESS,
  common,
  configurationOf,
  GROUP,
  INTERFACE,
  MACHINE,
  SUBNET,
  word,
} from "./common";

export const networkInterface: ResourceType = {
  token: INTERFACE,
  armType: "Microsoft.Network/networkInterfaces",
  path: ["resourceGroupName", "networkInterfaceName"],
  located: true,
  immutable: [],
  nameRule: ANY_NAME,
  seconds: { create: 2, update: 2, remove: 5 },
  validate: (put) => {
    const configurations = listAt(put.properties, "ipConfigurations").filter(isObject);
    if (configurations.length === 0) {
      throw badRequest(
        "NetworkInterfaceMustHaveOneIpConfiguration",
        `Network interface ${put.name} must have one or more IP configurations.`,
      );
    }
    for (const configuration of configurations) validateConfiguration(put, configuration);
    validateNetwork(put);
    const group = textAt(put.properties, "networkSecurityGroup.id");
    if (group !== "") referenced(put, "networkSecurityGroup", group, GROUP);
  },
  validateRemoval: (nic, cloud) => {
    const holder = cloud.reservedFor(nic.id);
    if (holder !== undefined) throw reserved(holder);
    const user = userOf(nic, cloud);
    if (user === undefined) return;
    throw badRequest(
      "NicInUse",
      `Network Interface ${nic.id} is used by existing resource ${user.id}. In order to delete the network interface, it ` +
        `must be dissociated from the resource.`,
    );
  },
  compute: (put) => ({
    ...common(put, "Microsoft.Network/networkInterfaces"),
    macAddress: computedOnce(put, "macAddress", () => macAddress(put.id)),
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
  defaults: ({ properties }) => ({
    auxiliaryMode: "None",
    auxiliarySku: "None",
    disableTcpStateTracking: false,
    dnsSettings: { dnsServers: [], appliedDnsServers: [] },
    enableAcceleratedNetworking: false,
    enableIPForwarding: false,
    hostedWorkloads: [],
    nicType: "Standard",
    tapConfigurations: [],
    vnetEncryptionSupported: false,
    ipConfigurations: listAt(properties, "ipConfigurations").map((_, i) => ({
      primary: i === 0,
      privateIPAddressVersion: "IPv4",
    })),
  }),
  related: (nic, cloud) => {
    const user = userOf(nic, cloud);
    return user === undefined ? {} : { virtualMachine: { id: user.id }, primary: true };
  },
};

/** Rejects a move of an interface into another virtual network. */
function validateNetwork({ properties, before, name }: Put): void {
  const networks = [before?.properties, properties].flatMap((one) =>
    listAt(one, "ipConfigurations").map((configuration) =>
      textAt(configuration, "subnet.id")
        .toLowerCase()
        .replace(/\/subnets\/[^/]*$/, ""),
    ),
  );
  if (new Set(networks).size <= 1) return;
  throw badRequest(
    "SubnetsNotInSameVnet",
    `Ip configurations within network interface ${name} must belong to the same virtual network.`,
  );
}

/** Returns the VM that uses an interface. */
function userOf(nic: Resource, cloud: View): Resource | undefined {
  return cloud
    .all(MACHINE)
    .find(({ properties }) => interfacesOf(properties).some((id) => sameId(id, nic.id)));
}

function validateConfiguration(put: Put, configuration: Properties): void {
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
  const requestedAddress = textAt(configuration, "privateIPAddress");
  if (word(configuration, "privateIPAllocationMethod") !== "static" || requestedAddress === "")
    return;
  const range = parseRange(textAt(where.properties, "addressPrefix"));
  const requested = parseRange(requestedAddress);
  if (range !== undefined && requested !== undefined && contains(range, requested)) return;
  throw badRequest(
    "PrivateIPAddressNotInSubnet",
    `Private static IP address ${requestedAddress} does not belong to the range of subnet prefix ${textAt(where.properties, "addressPrefix")}.`,
  );
}

function macAddress(id: string): string {
  const digest = createHash("sha256").update(id).digest("hex").slice(0, 6).toUpperCase();
  return `00-0D-3A-${digest.slice(0, 2)}-${digest.slice(2, 4)}-${digest.slice(4, 6)}`;
}

/** Returns a free address. Azure reserves the first four addresses of a subnet and the last one. */
function privateAddress(put: Put, configuration: Properties, index: number): string {
  const given = textAt(configuration, "privateIPAddress");
  if (given !== "") return given;
  const before = textAt(put.before?.computed, `ipConfigurations.${index}.privateIPAddress`);
  if (before !== "") return before;
  const subnetId = textAt(configuration, "subnet.id");
  const range = parseRange(textAt(put.cloud.get(subnetId)?.properties, "addressPrefix"));
  const used = put.cloud
    .all(INTERFACE)
    .flatMap((nic) =>
      listAt(nic.computed, "ipConfigurations").map((one) => textAt(one, "privateIPAddress")),
    );
  for (let i = 4; range !== undefined && i < range.size - 1; i++) {
    const address = formatAddress(range.first + i);
    if (!used.includes(address)) return address;
  }
  throw badRequest(
    "SubnetIsFull",
    `Subnet ${subnetId} does not have enough capacity for 1 IP addresses.`,
  );
}
