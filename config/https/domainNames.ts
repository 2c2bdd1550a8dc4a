import { isIPv4 } from "node:net";
import { ANY_HOST } from "../../components/gateway/rules/allowedHosts";

/** Returns the names in the value of store:domain, in lower case and without repetitions. The first one is that of the store's address. */
export function domainNames(domain: string): string[] {
  const names = domain.toLowerCase().split(/[\s,]+/);
  return [...new Set(names.filter((name) => name !== ""))];
}

/** Values of the configuration that name the store. */
export type NameKeys = Readonly<Record<"host" | "domain" | "dnsLabel" | "location", string>>;

/**
 * Returns the names by which a stack serves HTTPS: those of store:domain; without them, the one that Azure gives to store:dnsLabel.
 * Not the one of a label that the stack generates: it isn't known before the first `up`, and it is gone with the stack.
 */
export function storeNames({ host, domain, dnsLabel, location }: NameKeys): string[] {
  const names = domainNames(domain);
  return names.length === 0 && host === "azure" && dnsLabel !== ""
    ? [`${dnsLabel}.${location}.${AZURE_DOMAIN}`]
    : names;
}

/** Domain of the names that Azure gives to its addresses. */
export const AZURE_DOMAIN = "cloudapp.azure.com";

/** Returns what the value of store:domain should be instead; undefined if it is valid. */
export function domainProblem(domain: string): string | undefined {
  const wrong = domainNames(domain).find((name) => !isDomainName(name) && !isIPv4(name));
  if (wrong === undefined) return undefined;
  const cause = wrong === domain ? "" : `: "${wrong}" isn't one`;
  return `should be names such as "shop.example.org www.shop.example.org", or an IPv4 address, without scheme, port and path${cause}.`;
}

/** Returns what a value of store:allowedHosts should be instead; undefined if it is valid. */
export function allowedHostProblem(host: string): string | undefined {
  if (host === ANY_HOST || isDomainName(host.toLowerCase())) return undefined;
  return 'should be a host name such as "origin.example.org", without scheme, port and path, or "*" for any.';
}

/** Checks for a host name in ASCII, which isn't an address. */
export function isDomainName(name: string): boolean {
  const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
  const labels = name.split(".");
  const last = labels.at(-1) ?? "";
  return name.length <= 253 && labels.every((part) => label.test(part)) && !/^\d+$/.test(last);
}
