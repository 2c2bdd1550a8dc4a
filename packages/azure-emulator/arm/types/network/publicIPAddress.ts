import { randomInt } from "node:crypto";
import { badRequest, conflict } from "../../armError";
import { ANY_NAME, computedOnce, Put, ResourceType, sameId } from "../../resourceType";
import { Properties, textAt } from "../../values";
import { ADDRESS, common, configurationOf, INTERFACE, word } from "./common";

export const publicIPAddress: ResourceType = {
  token: ADDRESS,
  armType: "Microsoft.Network/publicIPAddresses",
  path: ["resourceGroupName", "publicIpAddressName"],
  located: true,
  // The list forceNewMap of the published provider.
  replacedOn: ["publicIPAddressVersion", "publicIPPrefix", "sku"],
  immutable: ["sku", "publicIPAddressVersion", "zones"],
  nameRule: ANY_NAME,
  seconds: { create: 3, update: 3, remove: 8 },
  validate: (put) => {
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
    const used = cloud
      .all(ADDRESS)
      .some(
        (other) =>
          !sameId(other.id, put.id) &&
          textAt(other.properties, "dnsSettings.domainNameLabel") === label &&
          textAt(other.properties, "location") === textAt(properties, "location"),
      );
    if (!used) return;
    throw badRequest(
      "DnsRecordInUse",
      `DNS record ${fqdn(properties)} is already used by another public IP.`,
    );
  },
  validateRemoval: (address, cloud) => {
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
    ipAddress: computedOnce(put, "ipAddress", () => freeAddress(put)),
    ...(textAt(put.properties, "dnsSettings.domainNameLabel") !== "" && {
      dnsSettings: {
        domainNameLabel: textAt(put.properties, "dnsSettings.domainNameLabel"),
        fqdn: fqdn(put.properties),
      },
    }),
    resourceGuid: computedOnce(put, "resourceGuid", () => crypto.randomUUID()),
  }),
  defaults: () => ({
    publicIPAddressVersion: "IPv4",
    idleTimeoutInMinutes: 4,
    ipTags: [],
    sku: { tier: "Regional" },
    ddosSettings: { protectionMode: "VirtualNetworkInherited" },
  }),
  related: (address, cloud) => {
    const user = cloud
      .all(INTERFACE)
      .find((nic) => configurationOf(nic, "publicIPAddress", address.id));
    const id = textAt(user?.computed, "ipConfigurations.0.id");
    return id === "" ? {} : { ipConfiguration: { id } };
  },
};

function fqdn(properties: Properties): string {
  const label = textAt(properties, "dnsSettings.domainNameLabel");
  return `${label}.${textAt(properties, "location")}.cloudapp.azure.com`;
}

/** Returns an unused address in 127.77.0.0/16, which only this machine can reach. */
function freeAddress({ cloud }: Put): string {
  const used = cloud.all(ADDRESS).map(({ computed }) => computed["ipAddress"]);
  for (let attempt = 0; attempt < 1000; attempt++) {
    const address = `127.77.${randomInt(1, 255)}.${randomInt(1, 255)}`;
    if (!used.includes(address)) return address;
  }
  throw conflict("PublicIPCountLimitReached", "There are no public IP addresses left.");
}
