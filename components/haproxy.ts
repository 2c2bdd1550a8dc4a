import { createHash } from "node:crypto";

/** One service behind the gateway. */
export interface Route {
  /** The service's name, by which its instances are found in the network's DNS. */
  readonly service: string;
  readonly port: number;
  /** Public path prefixes, as in its spec. */
  readonly prefixes: readonly string[];
  /** Path on which it is asked whether it can serve. */
  readonly healthPath: string;
}

/** Ports inside the gateway's container: for requests, for health and metrics, for HAProxy's own commands. */
export const GATEWAY_PORT = 80;
export const GATEWAY_ADMIN_PORT = 8404;
export const GATEWAY_COMMAND_PORT = 8405;

/** Where a reload finds which servers were up, so that it needn't wait for the first health checks. */
export const SERVER_STATE_FILE = "/tmp/servers.state";

/**
 * The gateway's configuration. It follows the services' instances by DNS, so that it is the same however many there are and
 * whichever of them are being replaced.
 *
 * @see https://docs.haproxy.org/3.0/configuration.html
 */
export function haproxyConfig(routes: readonly Route[]): GatewayConfig {
  const sections = [GLOBAL, publicFrontend(routes), ...sorted(routes).map(backend)].join("\n\n");
  const version = createHash("sha256").update(sections).digest("hex").slice(0, 16);
  return { text: `${sections}\n\n${adminFrontend(routes, version)}\n`, version };
}

export interface GatewayConfig {
  readonly text: string;
  /** What {@link GATEWAY_ADMIN_PORT} answers on /version once this configuration is in use and each service can be reached. */
  readonly version: string;
}

const GLOBAL = `global
    log stdout format raw daemon info
    maxconn 4096
    stats socket ipv4@127.0.0.1:${GATEWAY_COMMAND_PORT} level user
    server-state-file ${SERVER_STATE_FILE}

defaults
    mode http
    log global
    # One JSON object a line, like the services' logs; the request id is what ties them together.
    log-format "%{+json}o %(time)[date(0,ms),ms_ltime(%Y-%m-%dT%H:%M:%S.%3N,)] %(service)[str(gateway)] %(reqId)[var(txn.request_id)] %(method)HM %(path)HPO %(status)ST %(bytes)B %(durationMs)Ta %(backend)b %(server)s %(ended)ts"
    timeout connect 1s
    timeout client 30s
    timeout server 30s
    timeout http-request 10s
    timeout http-keep-alive 15s
    timeout queue 5s
    # An instance that went away between two health checks: another one gets the request.
    retries 3
    option redispatch 1
    retry-on conn-failure empty-response
    # Whoever keeps a connection open is told to close it with an answer, not by hanging up, when a reload or an end is under way.
    option idle-close-on-response
    option forwardfor
    load-server-state-from-file global
    # On a reused connection only where a failed request can be sent again.
    http-reuse safe

resolvers docker
    nameserver embedded 127.0.0.11:53
    resolve_retries 3
    timeout resolve 500ms
    timeout retry 500ms
    # How soon an instance that has started is used, and one that has gone isn't any more.
    hold valid 500ms
    hold obsolete 500ms
    hold nx 500ms
    hold refused 500ms
    hold timeout 2s
    accepted_payload_size 8192`;

function adminFrontend(routes: readonly Route[], version: string): string {
  const unreachable = sorted(routes).map(
    ({ service }) =>
      `    http-request return status 503 content-type text/plain string "${version} waits for ${service}" if { path /version } { nbsrv(${service}) eq 0 }`,
  );
  return `# For Docker's health check, for who reloads it and who collects metrics; not published.
frontend admin
    bind :${GATEWAY_ADMIN_PORT}
    option dontlog-normal
    monitor-uri /healthz
    http-request use-service prometheus-exporter if { path /metrics }
${unreachable.join("\n")}
    http-request return status 200 content-type text/plain string "${version}" if { path /version }
    http-request return status 404`;
}

function publicFrontend(routes: readonly Route[]): string {
  // The longest prefix first, since the first that fits is taken.
  const rules = sorted(routes)
    .flatMap((route) => route.prefixes.map((prefix) => ({ prefix, service: route.service })))
    .sort((a, b) => b.prefix.length - a.prefix.length || (a.prefix < b.prefix ? -1 : 1))
    .map(({ prefix, service }) =>
      prefix === "/"
        ? `    default_backend ${service}`
        : `    use_backend ${service} if { path ${prefix} } or { path_beg ${prefix}/ }`,
    );
  const isApi = routes
    .flatMap((route) => route.prefixes)
    .filter((prefix) => prefix.startsWith("/api/"))
    .map((prefix) => ` !{ path ${prefix} } !{ path_beg ${prefix}/ }`)
    .sort()
    .join("");
  const hasDefault = routes.some((route) => route.prefixes.includes("/"));
  return `frontend public
    bind :${GATEWAY_PORT}
    http-request set-var(txn.request_id) req.hdr(x-request-id)
    http-request set-var(txn.request_id) uuid() unless { req.hdr(x-request-id) -m reg ^[A-Za-z0-9._-]{8,64}$ }
    http-request set-header x-request-id %[var(txn.request_id)]
    http-after-response set-header x-request-id %[var(txn.request_id)]
    # What the services say about themselves is for the gateway and the operators.
    http-request return status 404 ${problem(404, "Not Found", "There is nothing at this address.")} if { path /healthz /readyz /metrics /openapi.json }
    http-request return status 404 ${problem(404, "Not Found", "No service answers at this address.")} if { path_beg /api/ }${isApi}
${hasDefault ? "" : `    http-request return status 404 ${problem(404, "Not Found", "No service answers at this address.")}${unlessRouted(routes)}\n`}${rules.join("\n")}`;
}

function unlessRouted(routes: readonly Route[]): string {
  const conditions = routes
    .flatMap((route) => route.prefixes)
    .map((prefix) => `!{ path ${prefix} } !{ path_beg ${prefix}/ }`)
    .sort();
  return conditions.length === 0 ? "" : ` if ${conditions.join(" ")}`;
}

function backend(route: Route): string {
  return `backend ${route.service}
    balance leastconn
    option httpchk GET ${route.healthPath}
    http-check expect status 200-299
    # A request that may have changed something is never sent twice by us.
    http-request disable-l7-retry unless METH_GET
    http-error status 503 ${problem(503, "Service Unavailable", `${route.service} can't be reached at the moment. Try again shortly.`)}
    http-error status 504 ${problem(504, "Gateway Timeout", `${route.service} took too long to answer.`)}
    # Room for every instance and its replacement beside it.
    server-template ${route.service} ${MOST_INSTANCES} ${route.service}:${route.port} check inter 500ms fall 1 rise 1 resolvers docker init-addr last,none`;
}

/** A problem document (RFC 9457) as the arguments of an answer. */
function problem(status: number, title: string, detail: string): string {
  const body = JSON.stringify({ type: "about:blank", title, status, detail });
  // In single quotes HAProxy takes everything as it is, but has no way to write the quote itself.
  return `content-type application/problem+json string '${body.replaceAll("'", "\u2019")}'`;
}

function sorted(routes: readonly Route[]): Route[] {
  return [...routes].sort((a, b) => (a.service < b.service ? -1 : 1));
}

/** The most instances of a service that the gateway knows at a time. */
export const MOST_INSTANCES = 32;
