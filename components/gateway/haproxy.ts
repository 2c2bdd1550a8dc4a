import { createHash } from "node:crypto";
import { RateLimit } from "../../services/spec";
import gatewayApi from "./gatewayApi.json";
import { asksForPage, onFailure, pageHeaders, pageParts, refuse } from "./gatewayAnswers";

/** One service behind the gateway. */
export interface Route {
  /** The service's name, by which its instances are found in the network's DNS. */
  readonly service: string;
  readonly port: number;
  /** Public path prefixes, as in its spec. */
  readonly prefixes: readonly string[];
  /** Path on which it is asked whether it can serve. */
  readonly healthPath: string;
  /** As in its spec. */
  readonly rateLimits: readonly RateLimit[];
}

/**
 * Ports inside the gateway's container: for requests from the store's own networks, for requests from outside, for health and
 * metrics, for HAProxy's own commands.
 */
export const GATEWAY_PORT = 80;
export const GATEWAY_PUBLISHED_PORT = 8080;
export const GATEWAY_ADMIN_PORT = 8404;
export const GATEWAY_COMMAND_PORT = 8405;

/** Where a reload finds which servers were up, so that it needn't wait for the first health checks. */
export const SERVER_STATE_FILE = "/tmp/servers.state";

/**
 * The gateway's configuration. It follows the services' instances by DNS, so that it is the same however many there are and
 * whichever of them are being replaced.
 *
 * @param limits How many requests one client address may send in 10 s; 0 is no limit, also none of the routes' own.
 * @see https://docs.haproxy.org/3.0/configuration.html
 */
export function haproxyConfig(
  routes: readonly Route[],
  limits: { readonly requests: number },
): GatewayConfig {
  const sections = [
    global(routes),
    publicFrontend(routes, limits.requests),
    ...sorted(routes).map(backend),
    ...(limits.requests > 0 ? tables(routes) : []),
  ].join("\n\n");
  const version = createHash("sha256").update(sections).digest("hex").slice(0, 16);
  return { text: `${sections}\n\n${adminFrontend(routes, version)}\n`, version };
}

export interface GatewayConfig {
  readonly text: string;
  /** What {@link GATEWAY_ADMIN_PORT} answers on /version once this configuration is in use and each service can be reached. */
  readonly version: string;
}

function global(routes: readonly Route[]): string {
  const { method, route } = logged(routes);
  return `global
    log stdout format raw daemon info
    maxconn 4096
    stats socket ipv4@127.0.0.1:${GATEWAY_COMMAND_PORT} level user
    server-state-file ${SERVER_STATE_FILE}
    # A request's line and headers fit into 15 KiB, which is less than the services take.
    tune.bufsize 16384
${pageParts()}

defaults
    mode http
    log global
    # One JSON object a line, like the services' logs; the request id is what ties them together.
    log-format "%{+json}o %(time)[date(0,ms),ms_ltime(%Y-%m-%dT%H:%M:%S.%3N,)] %(service)[str(gateway)] %(reqId)[var(txn.request_id)] %(method)[${method}] %(route)[${route}] %(status)ST %(bytes)B %(durationMs)Ta %(backend)b %(server)s %(ended)ts"
    timeout connect 1s
    # Whoever asks is answered within 30 s, whatever happens behind us.
    timeout client 20s
    timeout server 20s
    timeout http-request 10s
    timeout http-keep-alive 15s
    timeout queue 5s
    # An instance on a busy machine may be slow to say that it can serve; one that says that it can't, or isn't there, is known at once.
    timeout check 2s
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
${ownAnswers()}

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
}

/**
 * What is logged of a request line are words of ours: an order's path is the key to it, and what people mistype may tell of people.
 * Of the address it is the service's prefix, of the method a known one, and nothing where there is none. Worked out when a line is
 * written, not for each request.
 */
function logged(routes: readonly Route[]): { readonly method: string; readonly route: string } {
  const either = (words: readonly string[], rest = ""): string =>
    `regsub('^((${words.join("|")})${rest}|.*)\\$','\\\\2')`;
  const prefixes = rulesOf(routes)
    .filter(({ prefix }) => prefix !== "/")
    .map(({ prefix }) => prefix.replaceAll(".", "\\\\."));
  return {
    method: `capture.req.method,${either(METHODS)}`,
    route: `capture.req.uri,${prefixes.length > 0 ? either(prefixes, "([/?].*)?") : either([""])}`,
  };
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT"];

/** Each prefix and whose it is, the longest first, since the first that fits is taken. */
function rulesOf(
  routes: readonly Route[],
): { readonly prefix: string; readonly service: string }[] {
  return sorted(routes)
    .flatMap((route) => route.prefixes.map((prefix) => ({ prefix, service: route.service })))
    .sort((a, b) => b.prefix.length - a.prefix.length || (a.prefix < b.prefix ? -1 : 1));
}

function adminFrontend(routes: readonly Route[], version: string): string {
  const unreachable = sorted(routes).map(
    ({ service }) =>
      `    http-request return status 503 content-type text/plain string "${version} waits for ${service}" if { path /version } { nbsrv(${service}) eq 0 }`,
  );
  return `# For Docker's health check, for who reloads it and who collects metrics; not published.
frontend admin
    bind :${GATEWAY_ADMIN_PORT}
    monitor-uri /healthz
    option dontlog-normal
    # Whoever reloads it asks until the services are there, and is told who isn't.
    http-request set-log-level silent if { path /version }
    http-request use-service prometheus-exporter if { path /metrics }
${unreachable.join("\n")}
    http-request return status 200 content-type text/plain string "${version}" if { path /version }
    http-request return status 404`;
}

/*
 * Nothing is compressed: pages with orders in them, whose ids are the keys to them, come through here, and so do pages that show what their
 * address says. Where both meet, a length tells of the secret (BREACH). It would also nearly double what the gateway takes of the
 * processor for a page of twenty products (measured: 41 µs for 23).
 */
function publicFrontend(routes: readonly Route[], requestLimit: number): string {
  const rules = rulesOf(routes).map(({ prefix, service }) =>
    prefix === "/"
      ? `    default_backend ${service}`
      : `    use_backend ${service} if { path ${prefix} } or { path_beg ${prefix}/ }`,
  );
  // One line each: HAProxy takes 64 words in a line.
  const routed = sorted(routes)
    .flatMap(({ prefixes }) => prefixes)
    .filter((prefix) => prefix !== "/")
    .flatMap((prefix) => [`    acl routed path ${prefix}`, `    acl routed path_beg ${prefix}/`]);
  const nowhere = [
    ...(routes.some(({ prefixes }) => prefixes.includes("/")) ? ["{ path_beg /api/ }"] : []),
    ...(routed.length > 0 ? ["!routed"] : []),
  ];
  return `frontend public
    bind :${GATEWAY_PORT}
    bind :${GATEWAY_PUBLISHED_PORT}
    http-request set-var(txn.request_id) req.hdr(x-request-id)
    # What was taken is what is judged: the header may be there twice.
    http-request set-var(txn.request_id) uuid() unless { var(txn.request_id) -m reg ^[A-Za-z0-9._-]{8,64}$ }
    http-request set-header x-request-id %[var(txn.request_id)]
${asksForPage()}
${requestLimit > 0 ? rateLimits(requestLimit, routes) : ""}    # A tunnel: a service would only hang up.
    ${refuse(405, "This is no proxy.", { allow: "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" })} if METH_CONNECT
    # What we have looked at is what the service gets: an absolute address is cut down to its path.
    http-request set-uri %[pathq] unless { url_beg / }
    ${refuse(414, "The address is longer than 4096 characters.")} if { url_len gt 4096 }
    ${refuse(413, "The body is longer than 1 MiB.")} if { req.body_size gt ${1024 * 1024} }
    # A service that resolved these would answer at another path than the one that was routed; so would one that decodes twice.
    ${refuse(400, "The path has an empty or relative segment, a semicolon, or an encoded slash, dot or percent sign.")} if { path -i -m sub // /./ /../ ; %2e %2f %3b %5c %252 %253 %254 %255 %256 %257 \\\\ } or { path -m end /. /.. }
    # What we can't decode, somebody else may.
    ${refuse(400, "The path has a percent sign without two hexadecimal digits.")} if { path -m found } !{ path,url_dec -m found }
    # What is between services, and what they say about themselves to the gateway and the operators.
    ${refuse(404, "There is nothing at this address.")} if { path,url_dec -m str /healthz /readyz /metrics /openapi.json /internal } or { path,url_dec -m beg /internal/ }
    http-request return status 200 content-type application/json string '${directory(routes)}' hdr cache-control no-cache if { path /api /api/ } { method GET HEAD }
    http-request return status 200 content-type application/json string '${JSON.stringify(gatewayApi)}' hdr cache-control no-cache if { path /api/openapi.json } { method GET HEAD }
    ${refuse(405, "Only GET and HEAD are possible here.", { allow: "GET, HEAD" })} if { path /api /api/ /api/openapi.json }
${routed.join("\n")}
    ${refuse(404, "No service answers at this address.")}${nowhere.length > 0 ? ` if ${nowhere.join(" ")}` : ""}
${rules.join("\n")}
    # What is logged here is what was answered here, went wrong or took more than one try: the services log each request themselves,
    # under the same id, and a line of ours for each goes through Docker's log, which costs more than passing the request on.
    http-response set-log-level silent if { status lt 500 } { txn.conn_retries eq 0 } !{ txn.redispatched }
${ANSWER_HEADERS}`;
}

/**
 * At most so many requests in 10 s from an address (an IPv6 client has a whole network of them), and of some kinds fewer. Only what
 * comes from outside counts: storefront asks for all of its visitors.
 */
function rateLimits(requests: number, routes: readonly Route[]): string {
  const all = limit({
    counter: "sc0",
    of: OUTSIDE,
    most: requests,
    detail: `More than ${requests} requests came from your address within 10 seconds.`,
    seconds: 10,
  });
  const some = limitsOf(routes).map(({ table, method, path, requests, seconds }) =>
    limit({
      counter: "sc1",
      table,
      // As the services read it, or another spelling would come past.
      of: `{ method ${method} } { path,url_dec -m str ${path} } ${OUTSIDE}`,
      most: requests,
      detail: `More than ${requests} requests of this kind (${method} ${path}) came from your address within ${seconds} seconds.`,
      seconds,
    }),
  );
  return `    stick-table ${stickTable(10)}\n${[all, ...some].join("")}`;
}

interface Limit {
  readonly counter: "sc0" | "sc1";
  /** @default the section's own */
  readonly table?: string;
  /** Condition on the requests that count. */
  readonly of: string;
  readonly most: number;
  readonly detail: string;
  readonly seconds: number;
}

function limit({ counter, table, of, most, detail, seconds }: Limit): string {
  const rate = `${counter}_http_req_rate`;
  return `    http-request track-${counter} src,ipmask(32,64)${table === undefined ? "" : ` table ${table}`} if ${of}
    # A flood is one line for each address.
    http-request set-log-level silent if ${of} { ${rate} gt ${most + 1} }
    ${refuse(429, detail, { "retry-after": String(seconds) })} if ${of} { ${rate} gt ${most} }
`;
}

const OUTSIDE = `{ dst_port ${GATEWAY_PUBLISHED_PORT} }`;

/** The routes' own limits, each with a table of its own, since a table has one length of time. */
function limitsOf(routes: readonly Route[]): (RateLimit & { readonly table: string })[] {
  return sorted(routes).flatMap(({ service, rateLimits }) =>
    // No service has a dot in its name.
    rateLimits.map((limit, index) => ({ ...limit, table: `${service}.limit.${index}` })),
  );
}

function tables(routes: readonly Route[]): string[] {
  return limitsOf(routes).map(
    ({ table, seconds }) => `backend ${table}\n    stick-table ${stickTable(seconds)}`,
  );
}

/** Counts the requests of each address. Of a hundred thousand at a time: who is forgotten for one more has been away the longest. */
const stickTable = (seconds: number): string =>
  `type ipv6 size 100k expire ${2 * seconds}s store http_req_rate(${seconds}s)`;

/** Where outside parties find the services' documents, as `gatewayApi.json` describes it. */
function directory(routes: readonly Route[]): string {
  const services = sorted(routes)
    .filter(({ service, prefixes }) => prefixes.includes(`/api/${service}`))
    .map(({ service }) => ({ name: service, openapi: `/api/${service}/openapi.json` }));
  return JSON.stringify({ services });
}

/** Headers of every answer, where the service has not said otherwise. */
const ANSWER_HEADERS = `${pageHeaders()}
    http-after-response set-header x-request-id %[var(txn.request_id)]
    http-after-response del-header server
    http-after-response set-header x-content-type-options nosniff
    http-after-response set-header referrer-policy no-referrer unless { res.hdr(referrer-policy) -m found }
    # What isn't a page has no business to load, run or be anything in a browser.
    http-after-response set-header content-security-policy "default-src 'none'; frame-ancestors 'none'" unless { res.hdr(content-security-policy) -m found }`;

function backend(route: Route): string {
  return `backend ${route.service}
    balance leastconn
    option httpchk GET ${route.healthPath}
    http-check expect status 200-299
    # A request that may have changed something is never sent twice by us.
    http-request disable-l7-retry unless METH_GET
    ${onFailure(503, `${route.service} can't be reached at the moment. Try again shortly.`, { "retry-after": "1" })}
    ${onFailure(504, `${route.service} took too long to answer.`, { "retry-after": "1" })}
    # Room for every instance and its replacement beside it.
    server-template ${route.service} ${MOST_INSTANCES} ${route.service}:${route.port} check inter 500ms fall 1 rise 1 resolvers docker init-addr last,none`;
}

/** What HAProxy answers by itself. Its own text stays for what it can't read as a request at all: that can't be replaced. */
function ownAnswers(): string {
  const answers = [
    [400, "The request isn't valid HTTP, or its body didn't arrive in time."],
    [408, "The request didn't arrive in time."],
    [500, "Something went wrong in the gateway."],
    [502, "The service's answer can't be understood."],
  ] as const;
  return answers.map(([status, detail]) => `    ${onFailure(status, detail)}`).join("\n");
}

function sorted(routes: readonly Route[]): Route[] {
  return [...routes].sort((a, b) => (a.service < b.service ? -1 : 1));
}

/** The most instances of a service that the gateway knows at a time. */
export const MOST_INSTANCES = 32;
