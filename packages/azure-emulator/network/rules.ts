import { contains, parseRange } from "../arm/cidr";
import { Resource, sameId, View } from "../arm/resourceType";
import { interfacesOf, MACHINE } from "../arm/types/compute/references";
import { isObject, listAt, Properties, textAt } from "../arm/values";

/** Route from a public IP address to a VM, with the security groups that apply. */
export interface Route {
  readonly address: string;
  /** vmId of the VM. */
  readonly machine: string;
  /** Rules of the subnet's and the interface's security group. Each group must allow a connection. */
  readonly groups: readonly (readonly Properties[])[];
}

/** Returns the routes to all VMs with a public IP address. */
export function routesOf(cloud: View): Route[] {
  return placesOf(cloud).flatMap(({ publicAddress, machine, groups }) =>
    publicAddress === ""
      ? []
      : [{ address: publicAddress, machine: textAt(machine.computed, "vmId"), groups }],
  );
}

/** Place of a VM in a virtual network. */
export interface Place {
  readonly machine: Resource;
  readonly privateAddress: string;
  /** Empty without one. */
  readonly publicAddress: string;
  readonly subnet: Resource | undefined;
  readonly groups: Route["groups"];
}

/** Returns the places of all VMs. */
export function placesOf(cloud: View): Place[] {
  return cloud.all(MACHINE).flatMap((machine) => placesOfMachine(machine, cloud));
}

/** Returns a VM's places: one for each configuration of its interfaces. */
export function placesOfMachine(machine: Resource, cloud: View): Place[] {
  return interfacesOf(machine.properties).flatMap((id) => {
    const nic = cloud.get(id);
    if (nic === undefined) return [];
    return listAt(nic.computed, "ipConfigurations").map((configuration) => {
      const address = cloud.get(textAt(configuration, "publicIPAddress.id"));
      const subnet = cloud.get(textAt(configuration, "subnet.id"));
      const groups = [subnet, nic].flatMap((resource) => groupOf(resource, cloud));
      return {
        ...{ machine, subnet, groups: groups.map(rulesOf) },
        privateAddress: textAt(configuration, "privateIPAddress"),
        publicAddress: textAt(address?.computed, "ipAddress"),
      };
    });
  });
}

function groupOf(resource: Resource | undefined, cloud: View): Resource[] {
  const id = textAt(resource?.properties, "networkSecurityGroup.id");
  return cloud
    .all("azure-native:network:NetworkSecurityGroup")
    .filter((group) => sameId(group.id, id));
}

function rulesOf(group: Resource): Properties[] {
  return listAt(group.properties, "securityRules").filter(isObject);
}

/** Returns whether a connection from the internet is allowed. A Standard IP address without a security group allows none. */
export function allows(route: Route, source: string, port: number): boolean {
  return (
    route.groups.length > 0 &&
    route.groups.every((rules) =>
      allowedBy(rules, { source, isWithin: false, protocol: "tcp", port }),
    )
  );
}

/** A connection to a VM. */
export interface Connection {
  /** Address of the source. */
  readonly source: string;
  /** The source is in the virtual network, or in a network peered with it. */
  readonly isWithin: boolean;
  readonly protocol: "tcp" | "udp";
  readonly port: number;
}

/**
 * Returns whether a security group allows a connection. The matching rule with the lowest priority number decides; without a match,
 * Azure's default rules (AllowVnetInBound, DenyAllInBound).
 */
export function allowedBy(rules: readonly Properties[], connection: Connection): boolean {
  const { protocol, port, isWithin } = connection;
  const inbound = rules.filter((rule) => textAt(rule, "direction").toLowerCase() === "inbound");
  const ordered = [...inbound].sort((a, b) => Number(a["priority"]) - Number(b["priority"]));
  const match = ordered.find(
    (rule) =>
      [protocol, "*"].includes(textAt(rule, "protocol").toLowerCase()) &&
      valuesOf(rule, "sourceAddressPrefix", "sourceAddressPrefixes").some((one) =>
        covers(one, connection),
      ) &&
      valuesOf(rule, "destinationPortRange", "destinationPortRanges").some((one) =>
        hasPort(one, port),
      ),
  );
  return match === undefined ? isWithin : textAt(match, "access").toLowerCase() === "allow";
}

/** Returns the first and the last port of each range that a rule of the group names, whatever the rule does with it. */
export function namedPorts(rules: readonly Properties[]): { from: number; to: number }[] {
  return rules.flatMap((rule) =>
    valuesOf(rule, "destinationPortRange", "destinationPortRanges").map(endsOf),
  );
}

/** Returns the ports to listen on: those that any rule allows. For a large range, only well-known ports. */
export function portsOf(route: Route): number[] {
  const ports = route.groups
    .flat()
    .flatMap((rule) =>
      textAt(rule, "access").toLowerCase() === "allow" &&
      textAt(rule, "direction").toLowerCase() === "inbound" &&
      ["tcp", "*"].includes(textAt(rule, "protocol").toLowerCase())
        ? valuesOf(rule, "destinationPortRange", "destinationPortRanges").flatMap(expand)
        : [],
    );
  return [...new Set(ports)].sort((a, b) => a - b);
}

const WELL_KNOWN_PORTS = [22, 80, 443, 2375, 2376, 5432, 8080, 8443];
const MAX_EXPANDED = 64;

function expand(text: string): number[] {
  const { from, to } = endsOf(text);
  if (to - from >= MAX_EXPANDED)
    return WELL_KNOWN_PORTS.filter((port) => port >= from && port <= to);
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

function hasPort(text: string, port: number): boolean {
  const { from, to } = endsOf(text);
  return port >= from && port <= to;
}

function endsOf(text: string): { from: number; to: number } {
  if (text === "*") return { from: 0, to: 65535 };
  const [from = 0, to = from] = text.split("-").map(Number);
  return { from, to };
}

/** Returns whether an address prefix or service tag of a rule covers the source of a connection. */
function covers(prefix: string, { source, isWithin }: Connection): boolean {
  switch (prefix.toLowerCase()) {
    case "*":
      return true;
    case "internet":
      return !isWithin;
    case "virtualnetwork":
      return isWithin;
  }
  const outer = parseRange(prefix);
  const inner = parseRange(source);
  return outer !== undefined && inner !== undefined && contains(outer, inner);
}

function valuesOf(rule: Properties, one: string, several: string): string[] {
  return [textAt(rule, one), ...listAt(rule, several)].filter(
    (value): value is string => typeof value === "string" && value !== "",
  );
}
