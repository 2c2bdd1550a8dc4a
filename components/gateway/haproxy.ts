import { createHash } from "node:crypto";
import { RateLimit, RouteTimeout } from "../../services/spec";
import { readWithoutComments } from "../shell/shell";
import gatewayApi from "./gatewayApi.json";
import { PAGE_POLICY, PAGE_START, refuse, renderAnswers } from "./gatewayAnswers";

/** A service behind the gateway. */
export interface Route {
  /** Name of the service, which is also the DNS name of its instances. */
  readonly service: string;
  readonly port: number;
  /** Public path prefixes, as in the service's spec. */
  readonly prefixes: readonly string[];
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

/** Port of the gateway's container for requests from the store's own networks. Ports are literal in haproxy.cfg and reload.sh. */
export const GATEWAY_PORT = 80;
/** Port of the gateway's container for requests from outside. */
export const GATEWAY_PUBLISHED_PORT = 8080;
/** Port of the gateway's container for health and metrics. */
export const GATEWAY_ADMIN_PORT = 8404;

/** Memory limit of the gateway in MiB: for all connections (`maxconn` in haproxy.cfg) with full buffers, and the process before a reload. */
export const MEMORY_MIB = 256;

/** Most instances of a service, replacements included, that the gateway can follow at a time. */
export const MOST_INSTANCES = 32;

export interface GatewayConfig {
  /** Content by file name, for the folder /etc/store of the gateway's container. */
  readonly files: Readonly<Record<"haproxy.cfg" | "routes.map", string>>;
  /** Response of {@link GATEWAY_ADMIN_PORT} to /version once this configuration is in use and each service is reachable. */
  readonly version: string;
}

/**
 * Returns HAProxy's configuration for these services. It follows their instances by DNS, so it depends neither on the number of the
 * instances nor on their replacements.
 */
export function haproxyConfig(routes: readonly Route[], limits: ClientLimits): GatewayConfig {
  const sorted = [...routes].sort((a, b) => (a.service < b.service ? -1 : 1));
  const limited = limits.requests > 0;
  const connections = connectionLimit(limits.connections);
  const text = render("haproxy.cfg", {
    pageStart: `set-var-fmt proc.page_start '${PAGE_START.replaceAll("%", "%%")}'`,
    pagePolicy: PAGE_POLICY,
    loggedRoute: loggedRoute(sorted),
    hardStopSeconds: hardStopSeconds(sorted).toString(),
    connectionLimit: connections.rules.join("\n    "),
    rateLimits: limited ? rateLimits(limits.requests, sorted).join("\n    ") : "",
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
  const map = routesMap(sorted);
  const version = createHash("sha256").update(text).update(map).digest("hex").slice(0, 16);
  return {
    files: { "haproxy.cfg": `${text.replaceAll(VERSION, version)}\n`, "routes.map": map },
    version,
  };
}

/** Replaced last, because the version is a hash of everything else. */
const VERSION = "{{version}}";

/** Replaces the placeholders in a file of this folder. */
function render(file: string, values: Readonly<Record<string, string>>): string {
  const text = readWithoutComments(__dirname, file).replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`${file}: unknown placeholder ${name}`);
    return value;
  });
  return renderAnswers(text);
}

/** Lines "/prefix/ service" for `map_beg`, except for the prefix "/", which is the default backend. */
function routesMap(routes: readonly Route[]): string {
  return routes
    .flatMap(({ service, prefixes }) =>
      prefixesBelowRoot(prefixes).map((prefix) => `${prefix}/ ${service}\n`),
    )
    .join("");
}

/** The service with the prefix "/" gets the requests that no other prefix matches, except below /api/. */
function frontEnd(routes: readonly Route[]): { unrouted: string; defaultBackend: string } {
  const unmatched = "!{ var(txn.service) -m found }";
  const root = routes.find(({ prefixes }) => prefixes.includes("/"));
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

/**
 * Directives for the limit of connections, which close a further connection before anything is read from it. Not logged: a flood of
 * connections would be a flood of lines.
 */
function connectionLimit(connections: number): Record<"rules" | "tables", string[]> {
  if (connections === 0) return { rules: [], tables: [] };
  return {
    rules: [
      `tcp-request connection track-sc2 ${CLIENT} table ${CONNECTION_TABLE} if ${OUTSIDE}`,
      `tcp-request connection reject if ${OUTSIDE} { sc2_conn_cur gt ${connections} }`,
    ],
    tables: [
      `backend ${CONNECTION_TABLE}\n    stick-table type ipv6 size 100k expire 1m store conn_cur`,
    ],
  };
}

/** No service name contains a dot. */
const CONNECTION_TABLE = "gateway.connections";

/** The client's address; an IPv6 client has a whole network of addresses. */
const CLIENT = "src,ipmask(32,64)";

/**
 * Directives for the limit of all requests and for the routes' own limits, per client address. Only requests from outside count,
 * because storefront sends those of all its visitors.
 */
function rateLimits(requests: number, routes: readonly Route[]): string[] {
  return [
    `stick-table ${stickTable(10)}`,
    ...limit({
      counter: "sc0",
      condition: OUTSIDE,
      requests,
      seconds: 10,
      detail: `More than ${requests} requests came from your address within 10 seconds.`,
    }),
    ...routes.flatMap(tableLimits).flatMap(({ table, method, path, requests, seconds }) =>
      limit({
        counter: "sc1",
        table,
        // Decoded, as the services read the path: otherwise another spelling would evade the limit.
        condition: `{ method ${method} } { path,url_dec -m str ${path} } ${OUTSIDE}`,
        requests,
        seconds,
        detail: `More than ${requests} requests of this kind (${method} ${path}) came from your address within ${seconds} seconds.`,
      }),
    ),
  ];
}

interface Limit {
  /** Stick counter, one for the limit of all requests and one for the routes' own. */
  readonly counter: "sc0" | "sc1";
  /** Defaults to the frontend's own table. */
  readonly table?: string;
  /** Condition for the requests that count. */
  readonly condition: string;
  /** Most requests within {@link seconds}. */
  readonly requests: number;
  readonly seconds: number;
  /** Detail of the answer to a request beyond the limit. */
  readonly detail: string;
}

function limit({ counter, table, condition, requests, seconds, detail }: Limit): string[] {
  const rate = `${counter}_http_req_rate`;
  return [
    `http-request track-${counter} ${CLIENT}${table === undefined ? "" : ` table ${table}`} if ${condition}`,
    // Only the first refusal is logged: a flood is one line for each address.
    `http-request set-log-level silent if ${condition} { ${rate} gt ${requests + 1} }`,
    `${refuse(429, detail, { "retry-after": seconds.toString() })} if ${condition} { ${rate} gt ${requests} }`,
  ];
}

const OUTSIDE = `{ dst_port ${GATEWAY_PUBLISHED_PORT} }`;

/** A route's own limits, each with a table of its own, because a table has one period. No service name contains a dot. */
function tableLimits({ service, rateLimits }: Route): (RateLimit & { readonly table: string })[] {
  return rateLimits.map((limit, index) => ({ ...limit, table: `${service}.limit.${index}` }));
}

function limitTables(route: Route): string[] {
  return tableLimits(route).map(
    ({ table, seconds }) => `backend ${table}\n    stick-table ${stickTable(seconds)}`,
  );
}

/** Counts the requests of 100,000 addresses; a further one displaces the address that has been silent for longest. */
function stickTable(seconds: number): string {
  return `type ipv6 size 100k expire ${2 * seconds}s store http_req_rate(${seconds}s)`;
}
