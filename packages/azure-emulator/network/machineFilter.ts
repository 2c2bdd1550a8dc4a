import { parseRange } from "../arm/cidr";
import { type Resource, sameId, type View } from "../arm/resourceType";
import { textAt } from "../arm/values";
import { allowedBy, type Connection, namedPorts, type Place, placesOf } from "./rules";

/** Docker network of a rehearsal, which plays the virtual networks. */
export interface DockerSubnet {
  /** The first three parts of its addresses, such as "10.213.0". */
  readonly prefix: string;
  /** Number of its addresses, from the first on, that Docker gives nobody by itself. */
  readonly reserved: number;
}

/**
 * Returns the address of a VM's container: it has the same place in its subnet as the private address of the VM's network interface, and so
 * stays the same as long as the interface. Undefined for a machine without an interface.
 *
 * @throws Error if the private address is too far from the subnet's first one.
 */
export function containerAddress(
  { privateAddress, subnet }: Pick<Place, "privateAddress" | "subnet">,
  { prefix, reserved }: DockerSubnet,
): string | undefined {
  const first = parseRange(textAt(subnet?.properties, "addressPrefix"))?.first;
  const own = parseRange(privateAddress)?.first;
  if (first === undefined || own === undefined) return undefined;
  if (own - first >= reserved)
    throw new Error(
      `The Azure emulator has no address for a VM with the private address ${privateAddress}.`,
    );
  return `${prefix}.${own - first}`;
}

/** A range of ports that are closed to a source. */
interface Closed {
  readonly protocol: Connection["protocol"];
  readonly from: number;
  readonly to: number;
}

/** Returns what the security groups of a VM close to a source. */
export function closedTo(
  groups: Place["groups"],
  source: Pick<Connection, "source" | "isWithin">,
): Closed[] {
  const ends = groups.flatMap(namedPorts).flatMap(({ from, to }) => [from, to + 1]);
  const starts = [...new Set([0, ...ends])].filter((port) => port <= LAST).sort((a, b) => a - b);
  const segments = starts.map((from, i) => ({ from, to: (starts[i + 1] ?? LAST + 1) - 1 }));
  return (["tcp", "udp"] as const).flatMap((protocol) =>
    segments
      .filter(({ from: port }) =>
        groups.some((rules) => !allowedBy(rules, { ...source, protocol, port })),
      )
      .map((segment) => ({ protocol, ...segment })),
  );
}

const LAST = 65_535;

/**
 * Returns a script that makes a VM's container drop what the VM's security groups deny, from the other VMs and from elsewhere. What comes from
 * the network's gateway has passed the emulated edge.
 */
export function filterScript(machine: Resource, cloud: View, subnet: DockerSubnet): string {
  const places = placesOf(cloud);
  const own = places.find((place) => sameId(place.machine.id, machine.id));
  if (own === undefined) return "true";
  const others = places.filter((place) => place !== own);
  return [
    `iptables -w -t mangle -N ${CHAIN} 2>/dev/null || iptables -w -t mangle -F ${CHAIN}`,
    `iptables -w -t mangle -C PREROUTING -i eth0 -j ${CHAIN} 2>/dev/null || iptables -w -t mangle -I PREROUTING -i eth0 -j ${CHAIN}`,
    add("-m conntrack --ctstate ESTABLISHED,RELATED -j RETURN"),
    add(`-s ${subnet.prefix}.1 -j RETURN`),
    ...others.flatMap((other) => {
      const address = containerAddress(other, subnet);
      if (address === undefined) return [];
      const closed = closedTo(own.groups, { source: other.privateAddress, isWithin: true });
      return [...closed.map((one) => drop(one, `-s ${address} `)), add(`-s ${address} -j RETURN`)];
    }),
    ...closedTo(own.groups, { source: OUTSIDE, isWithin: false }).map((one) => drop(one, "")),
  ].join(" && \\\n");
}

const CHAIN = "REHEARSAL";

/** An address that no rule of the program names. */
const OUTSIDE = "192.0.2.1";

function drop({ protocol, from, to }: Closed, source: string): string {
  return add(`${source}-p ${protocol} --dport ${from}:${to} -j DROP`);
}

function add(rule: string): string {
  return `iptables -w -t mangle -A ${CHAIN} ${rule}`;
}
