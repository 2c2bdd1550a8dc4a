import type { Route } from "../haproxy";

/*
 * Routes of services that answer for certain hosts only, such as a second front end beside the storefront.
 */

/** Name of the file with a line "host/prefix/ service" for each host and prefix. */
export const HOSTS_FILE = "hosts.map";

/** The host that the client has asked for, in lower case and without its port. */
export const HOST = "var(txn.host)";

/** The directive that reads {@link HOST}. It must come before those with {@link hostCondition}. */
export const READ_HOST = "http-request set-var(txn.host) req.hdr(host),host_only,lower,rtrim(.)";

/** Returns the directives that find the service by host and path: by the host itself, else by its wildcard. */
export function hostRoutes(routes: readonly Route[]): string[] {
  if (!routes.some(hasHosts)) return [];
  return [`%[${HOST}]`, `%[${HOST},regsub('^[^.]+','*')]`].flatMap((host) => [
    `http-request set-var-fmt(txn.host_route) "${host}%[path]/" unless { var(txn.service) -m found }`,
    `http-request set-var(txn.service) var(txn.host_route),map_beg(/etc/store/${HOSTS_FILE}) unless { var(txn.service) -m found } or for_programs`,
  ]);
}

/** Returns the content of {@link HOSTS_FILE}; undefined if no service has hosts. */
export function hostsMap(routes: readonly Route[]): string | undefined {
  const lines = routes.flatMap(({ service, hosts = [], prefixes }) =>
    hosts.flatMap((host) =>
      prefixes.map((prefix) => `${host}${prefix === "/" ? "" : prefix}/ ${service}\n`),
    ),
  );
  return lines.length > 0 ? lines.join("") : undefined;
}

/**
 * Returns a condition for requests that a route of this service is for by their host, to append to another one. Paths below /api/ are
 * for all hosts.
 */
export function hostCondition({ hosts = [] }: Route, path: string, all: readonly Route[]): string {
  const others = all.flatMap((route) => route.hosts ?? []);
  if (hosts.length > 0) return ` ${isOneOf(hosts)}`;
  return others.length > 0 && !path.startsWith("/api/") ? ` !${isOneOf(others)}` : "";
}

function isOneOf(hosts: readonly string[]): string {
  return `{ ${HOST} -m reg ^(${hosts.map(hostPattern).join("|")})$ }`;
}

/** Returns a regular expression for a name, whose first label may be "*". */
export function hostPattern(host: string): string {
  return host.replaceAll(".", "[.]").replace("*", "[^.]+");
}

function hasHosts({ hosts = [] }: Route): boolean {
  return hosts.length > 0;
}
