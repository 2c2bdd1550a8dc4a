/** A range of IPv4 addresses: the first address as a number, and the number of addresses. */
export interface Range {
  readonly first: number;
  readonly size: number;
}

/** Parses a CIDR range or an address. Returns undefined for an invalid one, and, like ARM, for one with host bits set. */
export function parseRange(text: string): Range | undefined {
  const [address = "", prefix = "32", ...rest] = text.split("/");
  const first = parseAddress(address);
  const bits = /^\d{1,2}$/.test(prefix) ? Number(prefix) : NaN;
  if (first === undefined || rest.length > 0 || !(bits >= 0 && bits <= 32)) return undefined;
  const size = 2 ** (32 - bits);
  return first % size === 0 ? { first, size } : undefined;
}

function parseAddress(text: string): number | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || parts.some((part) => !/^\d{1,3}$/.test(part) || Number(part) > 255)) {
    return undefined;
  }
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

export function contains(outer: Range, inner: Range): boolean {
  return inner.first >= outer.first && inner.first + inner.size <= outer.first + outer.size;
}

export function overlap(a: Range, b: Range): boolean {
  return a.first < b.first + b.size && b.first < a.first + a.size;
}
