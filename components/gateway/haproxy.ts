import { createHash } from "node:crypto";
import { RateLimit, RouteTimeout } from "../../services/spec";
import { fillPlaceholders, readWithoutComments } from "../shell/shell";
import { clientRules, notFromProxy, outsideOf, PROXIES_FILE } from "./rules/clients";
import gatewayApi from "./gatewayApi.json";
import { PAGE_POLICY, PAGE_START, renderAnswers } from "./gatewayAnswers";
import {
  ALLOWED_HOSTS_FILE,
  allowedHostRules,
  allowedHostsList,
  ANY_HOST,
  isLimited,
} from "./rules/allowedHosts";
import { challengeRules, type Https, httpsParts, NAMES_FILE, ownCertificate } from "./https";
import { HOSTS_FILE, hostRoutes, hostsMap, READ_HOST } from "./rules/hosts";
import { connectionLimit, limitTables, rateLimits } from "./rules/limits";

/** A service behind the gateway. */
export interface Route {
  /** Name of the service, which is also the DNS name of its instances. */
  readonly service: string;
  readonly port: number;
  /** Public path prefixes, as in the service's spec. */
  readonly prefixes: readonly string[];
  /** Hosts that the prefixes are for, exact names and wildcards, as in the service's spec. Defaults to all that no other service has. */
  readonly hosts?: readonly string[];
  /** Path of the instances' health check. */
  readonly healthPath: string;
  /** Rate limits, as in the service's spec. */
  readonly rateLimits: readonly RateLimit[];
  /** Timeouts of paths, as in the service's spec. */
  readonly timeouts: readonly RouteTimeout[];
}

/** Limits per client address. Only clients outside of the store's own networks count. */
export interface ClientLimits {
  /** Requests within 10 s; 0 switches off this limit and those of the routes. */
  readonly requests: number;
  /** Connections at a time; 0 switches off the limit. */
  readonly connections: number;
}

/** Memory limit of the gateway in MiB: for all connections (`maxconn` in haproxy.cfg) with full buffers, and the process before a reload. */
export const MEMORY_MIB = 256;
/** The same with HTTPS: each connection has OpenSSL's buffers, too, and one with HTTP/2 those of several requests. */
export const HTTPS_MEMORY_MIB = 512;

/** Ways by which clients from outside reach the gateway. */
export interface PublicAccess {
  /** Defaults to HTTP only. */
  readonly https?: Https;
  /** Address ranges of proxies in front of the gateway, whose X-Forwarded headers count. Defaults to none. */
  readonly trustedProxies?: readonly string[];
  /** Host names of the store (hosts.ts). Defaults to any name. */
  readonly hosts?: readonly string[];
}

/** Most instances of a service, replacements included, that the gateway can follow at a time. */
export const MOST_INSTANCES = 32;

type OptionalFile =
  typeof NAMES_FILE | typeof PROXIES_FILE | typeof HOSTS_FILE | typeof ALLOWED_HOSTS_FILE;

export interface GatewayConfig {
  /** Content by file name, for the folder /etc/store of the gateway's container. */
  readonly files: Readonly<Record<"haproxy.cfg" | "routes.map", string>> &
    Readonly<Partial<Record<OptionalFile, string>>>;
  /** Response of {@link GATEWAY_ADMIN_PORT} to /version once this configuration is in use and each service is reachable. */
  readonly version: string;
}

/**
 * Returns HAProxy's configuration for these services. It follows their instances by DNS, so it depends neither on the number of the
 * instances nor on their replacements.
 */
export function haproxyConfig(
  routes: readonly Route[],
  limits: ClientLimits,
  access: PublicAccess = {},
): GatewayConfig {
  const { https, trustedProxies = [], hosts = [ANY_HOST] } = access;
  const sorted = [...routes].sort((a, b) => (a.service < b.service ? -1 : 1));
  const limited = limits.requests > 0;
  const outside = outsideOf(https !== undefined);
  // A proxy has the connections of many clients.
  const connections = connectionLimit(limits.connections, outside + notFromProxy(trustedProxies));
  const text = render("haproxy.cfg", {
    pageStart: `set-var-fmt proc.page_start '${PAGE_START.replaceAll("%", "%%")}'`,
    pagePolicy: PAGE_POLICY,
    loggedRoute: loggedRoute(sorted),
    hardStopSeconds: hardStopSeconds(sorted).toString(),
    outside,
    allowedHosts: allowedHostRules(hosts, outside).join("\n    "),
    connectionLimit: connections.rules.join("\n    "),
    clientRules: [
      ...clientRules(outside, trustedProxies, https !== undefined),
      READ_HOST,
      ...challengeRules(https),
    ].join("\n    "),
    ...httpsParts(https, trustedProxies.length > 0),
    rateLimits: limited
      ? rateLimits(limits.requests, sorted, outside, trustedProxies).join("\n    ")
      : "",
    hostRoutes: hostRoutes(sorted).join("\n    "),
    services: serviceList(sorted),
    gatewayApi: JSON.stringify(gatewayApi),
    ...frontEnd(sorted),
    backends: [
      ...sorted.map(backend),
      ...connections.tables,
      ...(limited ? sorted.flatMap(limitTables) : []),
    ].join("\n\n"),
    unreachable: sorted.map(unreachable).join("\n    "),
    version: VERSION,
  });
  const hostRoutesMap = hostsMap(sorted);
  const lists = {
    "routes.map": routesMap(sorted),
    ...(hostRoutesMap !== undefined && { [HOSTS_FILE]: hostRoutesMap }),
    ...(https && { [NAMES_FILE]: lines(https.names) }),
    ...(trustedProxies.length > 0 && { [PROXIES_FILE]: lines(trustedProxies) }),
    ...(isLimited(hosts) && { [ALLOWED_HOSTS_FILE]: allowedHostsList(hosts) }),
  };
  const hash = createHash("sha256").update(text);
  for (const list of Object.values(lists)) hash.update(list);
  // A renewed certificate needs a reload, too.
  hash.update(ownCertificate(https)?.fingerprint ?? "");
  const version = hash.digest("hex").slice(0, 16);
  return {
    files: { "haproxy.cfg": `${text.replaceAll(VERSION, version)}\n`, ...lists },
    version,
  };
}

function lines(words: readonly string[]): string {
  return words.map((word) => `${word}\n`).join("");
}

/** Replaced last, because the version is a hash of everything else. */
const VERSION = "{{version}}";

/** Replaces the placeholders in a file of this folder. */
function render(file: string, values: Readonly<Record<string, string>>): string {
  return renderAnswers(fillPlaceholders(readWithoutComments(__dirname, file), values));
}

/** Lines "/prefix/ service" for `map_beg`, except for the prefix "/", which is the default backend. */
function routesMap(routes: readonly Route[]): string {
  return routes
    .filter(({ hosts = [] }) => hosts.length === 0)
    .flatMap(({ service, prefixes }) =>
      prefixesBelowRoot(prefixes).map((prefix) => `${prefix}/ ${service}\n`),
    )
    .join("");
}

/** The service with the prefix "/" gets the requests that no other prefix matches, except below /api/. */
function frontEnd(routes: readonly Route[]): { unrouted: string; defaultBackend: string } {
  const unmatched = "!{ var(txn.service) -m found }";
  const root = routes.find(
    ({ prefixes, hosts = [] }) => prefixes.includes("/") && hosts.length === 0,
  );
  if (root === undefined) return { unrouted: unmatched, defaultBackend: "" };
  return {
    unrouted: `{ path_beg /api/ } ${unmatched}`,
    defaultBackend: `default_backend ${root.service}`,
  };
}

/** Converter that reduces the URI in a log line to the prefix of its route. Evaluated for logged requests only. */
function loggedRoute(routes: readonly Route[]): string {
  const prefixes = routes
    .flatMap((route) => prefixesBelowRoot(route.prefixes))
    .sort((a, b) => b.length - a.length || (a < b ? -1 : 1))
    .map((prefix) => prefix.replaceAll(".", "\\\\."));
  const pattern = prefixes.length > 0 ? `(${prefixes.join("|")})([/?].*)?` : "()";
  return `regsub('^(${pattern}|.*)\\$','\\\\2')`;
}

function prefixesBelowRoot(prefixes: readonly string[]): string[] {
  return prefixes.filter((prefix) => prefix !== "/");
}

function backend({ service, port, healthPath, timeouts }: Route): string {
  return render("backend.cfg", {
    ...{ service, healthPath },
    port: port.toString(),
    mostInstances: MOST_INSTANCES.toString(),
    timeouts: timeoutRules(timeouts).join("\n    "),
  });
}

/** Directives for the timeouts of paths. The last one that matches wins: that of the longest path. */
function timeoutRules(timeouts: readonly RouteTimeout[]): string[] {
  return [...timeouts]
    .sort((a, b) => a.path.length - b.path.length || (a.path < b.path ? -1 : 1))
    .flatMap(({ path, seconds }) => {
      const below = path === "/" ? path : `${path}/`;
      // Decoded, as the services read the path.
      const condition = `{ path,url_dec -m str ${path} } or { path,url_dec -m beg ${below} }`;
      // "server" is for answers, "tunnel" for what follows an upgrade to WebSocket.
      return ["server", "tunnel"].map(
        (kind) => `http-request set-timeout ${kind} ${seconds}s if ${condition}`,
      );
    });
}

/** Seconds after a reload at which the old process ends. Long polls aren't interrupted earlier than their own timeout says. */
function hardStopSeconds(routes: readonly Route[]): number {
  return Math.max(
    LEAST_HARD_STOP_SECONDS,
    ...routes.flatMap(({ timeouts }) => timeouts.map(({ seconds }) => seconds)),
  );
}

/** Requests without a timeout of their own take up to 30 s. The rest is for open WebSockets, which nothing else closes. */
const LEAST_HARD_STOP_SECONDS = 300;

/** Directive that appends the service's name to a variable for /version if no instance is reachable. */
function unreachable({ service }: Route): string {
  return `http-request set-var-fmt(txn.unreachable) "%[var(txn.unreachable,)] ${service}" if { path /version } { nbsrv(${service}) eq 0 }`;
}

/** Response to GET /api, as gatewayApi.json describes it: the services with an API and the paths of their OpenAPI documents. */
function serviceList(routes: readonly Route[]): string {
  const services = routes
    .filter(({ service, prefixes }) => prefixes.includes(`/api/${service}`))
    .map(({ service }) => ({ name: service, openapi: `/api/${service}/openapi.json` }));
  return JSON.stringify({ services });
}
