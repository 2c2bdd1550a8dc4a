import { parseRange } from "../arm/cidr";
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
  return cloud.all(MACHINE).flatMap((machine) =>
    interfacesOf(machine.properties).flatMap((id) => {
      const nic = cloud.get(id);
      if (nic === undefined) return [];
      return listAt(nic.properties, "ipConfigurations").flatMap((configuration) => {
        const address = cloud.get(textAt(configuration, "publicIPAddress.id"));
        const ip = textAt(address?.computed, "ipAddress");
        if (ip === "") return [];
        const subnet = cloud.get(textAt(configuration, "subnet.id"));
        const groups = [subnet, nic].flatMap((resource) => groupOf(resource, cloud));
        return [
          { address: ip, machine: textAt(machine.computed, "vmId"), groups: groups.map(rulesOf) },
        ];
      });
    }),
  );
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

/**
 * Returns whether a connection is allowed. A Standard IP address without a security group allows none. Within a group, the matching
 * rule with the lowest priority number decides; without a match, Azure's default rule denies.
 */
export function allows(route: Route, source: string, port: number): boolean {
  return route.groups.length > 0 && route.groups.every((rules) => allowedBy(rules, source, port));
}

function allowedBy(rules: readonly Properties[], source: string, port: number): boolean {
  const inbound = rules.filter((rule) => textAt(rule, "direction").toLowerCase() === "inbound");
  const ordered = [...inbound].sort((a, b) => Number(a["priority"]) - Number(b["priority"]));
  const match = ordered.find(
    (rule) =>
      ["tcp", "*"].includes(textAt(rule, "protocol").toLowerCase()) &&
      valuesOf(rule, "sourceAddressPrefix", "sourceAddressPrefixes").some((one) =>
        covers(one, source),
      ) &&
      valuesOf(rule, "destinationPortRange", "destinationPortRanges").some((one) =>
        hasPort(one, port),
      ),
  );
  return match !== undefined && textAt(match, "access").toLowerCase() === "allow";
}

/** Returns the ports to listen on: those that any rule allows. For a large range, only well-known ports. */
export function portsOf(route: Route): number[] {
  const ports = route.groups
    .flat()
    .flatMap((rule) =>
      textAt(rule, "access").toLowerCase() === "allow" &&
      textAt(rule, "direction").toLowerCase() === "inbound"
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

/** Returns whether an address prefix or service tag of a rule covers a source address; any source is in the tag Internet. */
function covers(prefix: string, source: string): boolean {
  if (["*", "internet"].includes(prefix.toLowerCase())) return true;
  const outer = parseRange(prefix);
  const inner = parseRange(source);
  return (
    outer !== undefined &&
    inner !== undefined &&
    inner.first >= outer.first &&
    inner.first < outer.first + outer.size
  );
}

function valuesOf(rule: Properties, one: string, several: string): string[] {
  return [textAt(rule, one), ...listAt(rule, several)].filter(
    (value): value is string => typeof value === "string" && value !== "",
  );
}
