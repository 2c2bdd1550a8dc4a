import ipaddr from "ipaddr.js";
import type { Danger } from "../model/reviewModel";
import type { EngineStep } from "./engineStep";
import { CONTAINER_TYPE } from "../../state/resourceTypes";
import { type InboundRule, INTERNET, rulesOf, typeKey } from "./publicValues";

type Exposure = Pick<Danger, "detail" | "before" | "after">;

/** Ports that are open to everybody by design: HTTP and HTTPS. */
const PUBLIC_PORTS = new Set(["80", "443"]);

/**
 * Returns the ways in that a step opens: more source addresses for a port of the firewall, or a published port of a container.
 *
 * @param first The stack doesn't exist yet, so that the gateway's port is no news.
 */
export function exposures(step: EngineStep, first: boolean): Exposure[] {
  if (step.operation === "delete") return [];
  switch (typeKey(step.type)) {
    case "azure-native:network:NetworkSecurityGroup":
      return widenedRules(rulesOf(step.old?.inputs), rulesOf(step.new?.inputs));
    case CONTAINER_TYPE:
      return first && step.name === "gateway" ? [] : newPorts(step.old?.inputs, step.new?.inputs);
    default:
      return [];
  }
}

function widenedRules(before: readonly InboundRule[], after: readonly InboundRule[]): Exposure[] {
  return after.flatMap(({ ports, sources }) => {
    const known = before.filter((rule) => rule.ports === ports).flatMap((rule) => rule.sources);
    const added = sources.filter((source) => !known.some((range) => covers(range, source)));
    // By design, and for SSH from an allow-list when the firewall is created.
    const isExpected =
      PUBLIC_PORTS.has(ports) || (before.length === 0 && !sources.some(isEverybody));
    if (added.length === 0 || isExpected) return [];
    return [
      {
        detail: `port ${ports}`,
        ...(known.length > 0 && { before: known.join(", ") }),
        after: sources.join(", "),
      },
    ];
  });
}

/** Also for a large part of the internet: everybody fits into two halves. */
function isEverybody(source: string): boolean {
  return source === "*" || source === INTERNET || /\/[0-6]$/.test(source);
}

/** Checks that all addresses of `inner` are in `outer`. Unknown texts cover nothing. */
export function covers(outer: string, inner: string): boolean {
  if (outer === inner) return outer !== "?";
  if (outer === "*" || (outer === "0.0.0.0/0" && inner === INTERNET)) return true;
  const [wide, narrow] = [range(outer), range(inner)];
  if (wide === undefined || narrow === undefined) return false;
  const [[network, bits], [address, length]] = [wide, narrow];
  return network.kind() === address.kind() && bits <= length && address.match(network, bits);
}

function range(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] | undefined {
  if (ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text);
  if (!ipaddr.isValid(text)) return undefined;
  const address = ipaddr.parse(text);
  return [address, address.kind() === "ipv4" ? 32 : 128];
}

type Inputs = Readonly<Record<string, unknown>>;

function newPorts(before: Inputs | undefined, after: Inputs | undefined): Exposure[] {
  const known = publishedPorts(before);
  return publishedPorts(after)
    .filter((port) => !known.includes(port))
    .map((port) => ({
      detail: "published port",
      ...(known.length > 0 && { before: known.join(", ") }),
      after: port,
    }));
}

/** Returns the ports that other machines can reach: not those on a loopback address. */
function publishedPorts(inputs: Inputs = {}): string[] {
  const { ports } = inputs;
  if (!Array.isArray(ports)) return [];
  return (ports as readonly Inputs[]).flatMap(({ ip, external }) =>
    typeof ip === "string" && (/^127\./.test(ip) || ip === "::1")
      ? []
      : [typeof external === "number" ? String(external) : "?"],
  );
}
