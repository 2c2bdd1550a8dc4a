/** Returns the names in the value of store:domain, in lower case and without repetitions. The first one is that of the store's address. */
export function domainNames(domain: string): string[] {
  const names = domain.toLowerCase().split(/[\s,]+/);
  return [...new Set(names.filter((name) => name !== ""))];
}

/** Returns what the value of store:domain should be instead; undefined if it is valid. */
export function domainProblem(domain: string): string | undefined {
  const wrong = domainNames(domain).find((name) => !isDomainName(name));
  if (wrong === undefined) return undefined;
  const cause = wrong === domain ? "" : `: "${wrong}" isn't one`;
  return `should be names such as "shop.example.org www.shop.example.org", without scheme, port and path${cause}.`;
}

/** Checks for a host name in ASCII, which isn't an address. */
function isDomainName(name: string): boolean {
  const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
  const labels = name.split(".");
  const last = labels.at(-1) ?? "";
  return name.length <= 253 && labels.every((part) => label.test(part)) && !/^\d+$/.test(last);
}
