import { parseRange } from "../arm/cidr";
import { Resource, sameId, View } from "../arm/resourceType";
import { interfacesOf, MACHINE } from "../arm/types/compute/references";
import { isObject, listAt, Properties, textAt } from "../arm/values";

/** Where a public address leads, and what may go there. */
export interface Route {
  readonly address: string;
  /** The machine's vmId. */
  readonly machine: string;
  /** The security groups on the way, the subnet's and the interface's; each of them must allow it. */
  readonly groups: readonly (readonly Properties[])[];
}

/** The ways from outside to every machine that has a public address. */
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
        const groups = [subnet, nic].flatMap((place) => groupOf(place, cloud));
        return [
          { address: ip, machine: textAt(machine.computed, "vmId"), groups: groups.map(rulesOf) },
        ];
      });
    }),
  );
}

function groupOf(place: Resource | undefined, cloud: View): Resource[] {
  const id = textAt(place?.properties, "networkSecurityGroup.id");
  return cloud
    .all("azure-native:network:NetworkSecurityGroup")
    .filter((group) => sameId(group.id, id));
}

function rulesOf(group: Resource): Properties[] {
  return listAt(group.properties, "securityRules").filter(isObject);
}

/**
 * Whether a connection from that address to that port comes through. A Standard address without a group lets nothing in;
 * in a group the first rule that fits decides, and Azure's own last one denies.
 */
export function allows(way: Route, source: string, port: number): boolean {
  return way.groups.length > 0 && way.groups.every((rules) => allowedBy(rules, source, port));
}

function allowedBy(rules: readonly Properties[], source: string, port: number): boolean {
  const inbound = rules.filter((rule) => textAt(rule, "direction").toLowerCase() === "inbound");
  const ordered = [...inbound].sort((a, b) => Number(a["priority"]) - Number(b["priority"]));
  const fits = ordered.find(
    (rule) =>
      ["tcp", "*"].includes(textAt(rule, "protocol").toLowerCase()) &&
      valuesOf(rule, "sourceAddressPrefix", "sourceAddressPrefixes").some((one) =>
        covers(one, source),
      ) &&
      valuesOf(rule, "destinationPortRange", "destinationPortRanges").some((one) =>
        hasPort(one, port),
      ),
  );
  return fits !== undefined && textAt(fits, "access").toLowerCase() === "allow";
}

/** The ports on which anybody at all may come through. Of a large range only the usual ones: each port is a listener. */
export function portsOf(way: Route): number[] {
  const ports = way.groups
    .flat()
    .flatMap((rule) =>
      textAt(rule, "access").toLowerCase() === "allow" &&
      textAt(rule, "direction").toLowerCase() === "inbound"
        ? valuesOf(rule, "destinationPortRange", "destinationPortRanges").flatMap(expand)
        : [],
    );
  return [...new Set(ports)].sort((a, b) => a - b);
}

const USUAL = [22, 80, 443, 2375, 2376, 5432, 8080, 8443];
const MOST = 64;

function expand(text: string): number[] {
  const { from, to } = endsOf(text);
  if (to - from >= MOST) return USUAL.filter((port) => port >= from && port <= to);
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

/** Whoever comes to a public address comes from the Internet. */
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
