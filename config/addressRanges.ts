import { IPv4, isValid, isValidCIDR, parseCIDR } from "ipaddr.js";

/** Ranges that Azure refuses in a virtual network. @see https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq */
const RESERVED = [
  "127.0.0.0/8",
  "169.254.0.0/16",
  "168.63.129.16/32",
  "224.0.0.0/4",
  "255.255.255.255/32",
];

/** Returns what a range of IPv4 addresses for a firewall rule should be instead; undefined if Azure accepts it. */
export function firewallRangeProblem(cidr: string): string | undefined {
  if (!IPv4.isValidCIDRFourPartDecimal(cidr))
    return "should be an address range such as 203.0.113.0/24.";
  if (!hasHostBits(cidr)) return undefined;
  const [address, bits] = IPv4.parseCIDR(cidr);
  const network = IPv4.networkAddressFromCIDR(cidr);
  return `should be ${network.toString()}/${bits}, or ${address.toString()}/32 for this address alone.`;
}

/** Returns what a range of a proxy's addresses, IPv4 or IPv6, should be instead; undefined if it is valid. */
export function proxyRangeProblem(cidr: string): string | undefined {
  const expected = "should be an address range such as 10.0.0.0/8 or 2001:db8::/32";
  // A single address is a range, too. ipaddr.js also reads old forms such as 10.1 and 0x7f.1.
  const isRange = isValidCIDR(cidr) || isValid(cidr);
  if (!isRange || !/^(\d+(\.\d+){3}|[0-9a-f:]*:[0-9a-f:]*)(\/\d+)?$/i.test(cidr))
    return `${expected}.`;
  if (isValidCIDR(cidr) && parseCIDR(cidr)[1] === 0)
    return `${expected}: every client could claim any address.`;
  return undefined;
}

/** Returns what the range of a virtual network should be instead; undefined if Azure accepts it. */
export function networkProblem(cidr: string): string | undefined {
  const expected = "should be a network such as 10.20.0.0/16";
  if (!IPv4.isValidCIDRFourPartDecimal(cidr)) return `${expected}.`;
  const [, bits] = IPv4.parseCIDR(cidr);
  if (bits < 8 || bits > 29 || hasHostBits(cidr)) return `${expected}.`;
  const reserved = RESERVED.find((range) => overlaps(range, cidr));
  return reserved && `${expected}: ${reserved} is reserved by Azure.`;
}

/** Returns a range of the list that is in another one, with the other one. Azure refuses a firewall rule with such ranges. */
export function findOverlap(
  cidrs: readonly string[],
): { readonly inner: string; readonly outer: string } | undefined {
  for (const [i, inner] of cidrs.entries()) {
    const outer = cidrs.find((range, j) => j !== i && contains(range, inner));
    if (outer !== undefined) return { inner, outer };
  }
  return undefined;
}

/** Returns how many IPv4 addresses the ranges have together, if they don't overlap. */
export function addressCount(cidrs: readonly string[]): number {
  return cidrs.reduce((sum, cidr) => sum + 2 ** (32 - IPv4.parseCIDR(cidr)[1]), 0);
}

/** Returns true if the ranges have an address in common: two ranges overlap only if one contains the other. */
export function overlaps(one: string, other: string): boolean {
  return contains(one, other) || contains(other, one);
}

function contains(outer: string, inner: string): boolean {
  const [network, bits] = IPv4.parseCIDR(outer);
  const [address, length] = IPv4.parseCIDR(inner);
  return bits <= length && address.match(network, bits);
}

function hasHostBits(cidr: string): boolean {
  return IPv4.networkAddressFromCIDR(cidr).toString() !== IPv4.parseCIDR(cidr)[0].toString();
}
