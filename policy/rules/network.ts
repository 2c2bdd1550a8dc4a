import { parseCIDR } from "ipaddr.js";
import { definePolicy, TEXTS } from "../policy";
import { configSet, isPartOf, listAt, PlannedResource, textAt, valueAt } from "../resource";

interface AdministrationPorts {
  /** TCP ports that must not be open to the world. */
  readonly ports: readonly number[];
}

export const sshNotOpen = definePolicy<AdministrationPorts>({
  name: "ssh-not-open-to-world",
  description: "No firewall rule opens SSH, or Docker's TCP port, to the whole internet.",
  settings: { ports: { type: "array", items: { type: "integer", minimum: 1, maximum: 65_535 } } },
  check: (resource, { ports }) =>
    firewallRulesOf(resource).flatMap((rule) => {
      const open = ports.filter((port) => admitsWorld(rule) && covers(rule, port));
      return open.length === 0
        ? []
        : [
            `opens port ${open.join(", ")} to the whole internet (rule ${textAt(rule, "name") ?? resource.type}). Name the address ranges ` +
              `that need it: ${configSet(resource, "--path 'adminCidrs[0]' 203.0.113.7/32")}.`,
          ];
    }),
});

/** Rules of a network security group, or a rule that is a resource of its own. */
function firewallRulesOf({ type, inputs }: PlannedResource): readonly unknown[] {
  if (type === "azure-native:network:NetworkSecurityGroup") return listAt(inputs, "securityRules");
  return type === "azure-native:network:SecurityRule" ? [inputs] : [];
}

function admitsWorld(rule: unknown): boolean {
  const isInbound = /^inbound$/i.test(textAt(rule, "direction") ?? "");
  const allows = /^allow$/i.test(textAt(rule, "access") ?? "");
  const isTcp = /^(tcp|\*)$/i.test(textAt(rule, "protocol") ?? "*");
  return (
    isInbound &&
    allows &&
    isTcp &&
    textsAt(rule, "sourceAddressPrefix", "sourceAddressPrefixes").some(isWorld)
  );
}

/** Prefix lengths from which on a range isn't the world's: half of the addresses, in two ranges, are as open as all. */
const NARROW = { ipv4: 8, ipv6: 16 } as const;

function isWorld(range: string): boolean {
  if (/^(\*|internet|any)$/i.test(range)) return true;
  try {
    const [address, length] = parseCIDR(range);
    return length < NARROW[address.kind()];
  } catch {
    // A single address, or a service tag such as VirtualNetwork.
    return false;
  }
}

function covers(rule: unknown, port: number): boolean {
  return textsAt(rule, "destinationPortRange", "destinationPortRanges").some((range) => {
    const [first = NaN, last = first] = range.split("-").map(Number);
    return range === "*" || (first <= port && port <= last);
  });
}

/** Azure has each of these inputs as one text and as a list. */
function textsAt(value: unknown, one: string, several: string): string[] {
  return [valueAt(value, one), ...listAt(value, several)].filter(
    (each) => typeof each === "string",
  );
}

interface PublicAddresses {
  /** Types of resources that are a public address or several. */
  readonly types: readonly string[];
}

export const noOtherPublicAddress = definePolicy<PublicAddresses>({
  name: "no-other-public-address",
  description: "Only a host has a public address.",
  settings: { types: TEXTS },
  check: (resource, { types }) => {
    const isAddress = types.includes(resource.type) || hasInlineAddress(resource.inputs);
    return isAddress &&
      resource.type.startsWith("azure-native:") &&
      !isPartOf(resource, "store:index:AzureHost")
      ? [
          "is reachable from the internet, past the host's firewall rules. Remove the public address, and reach the resource by the " +
            "virtual network, or route requests by the gateway.",
        ]
      : [];
  },
});

/** Returns true if a public address is configured anywhere in the inputs: scale sets have it inline. */
function hasInlineAddress(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(
    ([key, inner]) =>
      (/^publicIP(Address(Configuration)?|Prefix)$/i.test(key) &&
        inner !== undefined &&
        inner !== null) ||
      hasInlineAddress(inner),
  );
}
