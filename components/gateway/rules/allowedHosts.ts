import { refuse } from "../gatewayAnswers";
import { HOST, hostPattern } from "./hosts";

/*
 * The host names that the gateway accepts from clients outside of the store's own networks. With any other name in the header Host, a
 * stranger's site whose name leads to the store's address (DNS rebinding) could act as the store's own, and a service that builds links
 * from the name would lead its visitors away.
 */

/** Value of `store:allowedHosts` that accepts any name. */
export const ANY_HOST = "*";

/** Name of the file with a pattern for each accepted name, one in a line: a line of haproxy.cfg takes 64 words. */
export const ALLOWED_HOSTS_FILE = "allowed-hosts.list";

export interface HostNames {
  /** Name or address of the host, as in the store's address. */
  readonly address: string;
  /** Names of the store's certificate, wildcards such as "*.example.org" included. Defaults to none. */
  readonly names?: readonly string[];
  /** Further names (`store:allowedHosts`). {@link ANY_HOST} accepts any. Defaults to none. */
  readonly further?: readonly string[];
}

/** Returns the names that the gateway accepts, beside those of {@link NOBODYS_NAME}. */
export function acceptedHosts({ address, names = [], further = [] }: HostNames): string[] {
  const all = [...names, address, ...further].map((name) => name.toLowerCase());
  return [...new Set(all)].sort();
}

/** Returns the content of {@link ALLOWED_HOSTS_FILE}. */
export function allowedHostsList(hosts: readonly string[]): string {
  return hosts.map((host) => `^${hostPattern(host)}$\n`).join("");
}

/** Returns true if not every name is accepted. */
export function isLimited(hosts: readonly string[]): boolean {
  return !hosts.includes(ANY_HOST);
}

/**
 * Addresses, and names that nobody can register on the internet, so that they lead to the store only where its network says so: names
 * without a dot, and those below the reserved domains (RFC 6761, 6762, 8375; "internal" is reserved by ICANN).
 */
const NOBODYS_NAME =
  "^([0-9.]+|\\[[0-9a-f:.%]+\\]|[a-z0-9_-]+|(.+\\.)?(localhost|local|internal|test|home\\.arpa))$";

/** Returns the directives that refuse other host names. A request without a name, such as that of a health check by HTTP/1.0, passes. */
export function allowedHostRules(hosts: readonly string[], outside: string): string[] {
  if (!isLimited(hosts)) return [];
  const isAccepted = [`-f /etc/store/${ALLOWED_HOSTS_FILE}`, NOBODYS_NAME].map(
    (patterns) => `!{ ${HOST} -m reg ${patterns} }`,
  );
  return [
    `${refuse(421, "The store isn't known by this host name. The key store:allowedHosts of its configuration takes further names.")} if ${outside} { ${HOST} -m len gt 0 } ${isAccepted.join(" ")}`,
  ];
}
