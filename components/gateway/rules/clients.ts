/** Port of the gateway's container for requests from the store's own networks. Ports are literal in haproxy.cfg and reload.sh. */
export const GATEWAY_PORT = 80;
/** Port of the gateway's container for requests from outside. */
export const GATEWAY_PUBLISHED_PORT = 8080;
/** Port of the gateway's container for HTTPS from outside. */
export const GATEWAY_HTTPS_PORT = 8443;
/** Port of the gateway's container for health and metrics. */
export const GATEWAY_ADMIN_PORT = 8404;

/*
 * The address and the scheme of a client from outside, as directives of HAProxy. Services read them from X-Forwarded-For and
 * X-Forwarded-Proto, which the gateway sets, whatever the caller has sent.
 */

/** Returns the condition for requests from outside of the store's own networks. */
export function outsideOf(hasHttps: boolean): string {
  return `{ dst_port ${GATEWAY_PUBLISHED_PORT}${hasHttps ? ` ${GATEWAY_HTTPS_PORT}` : ""} }`;
}

/** Returns a condition for what doesn't come from a trusted proxy, to append to another one. */
export function notFromProxy(proxies: readonly string[]): string {
  return proxies.length === 0 ? "" : ` !${FROM_PROXY}`;
}

/** Returns a condition for requests that no trusted proxy has passed on, to append to another one. */
export function notPassedOn(proxies: readonly string[]): string {
  return proxies.length === 0 ? "" : ` !${PROXIED}`;
}

/** Name of the file with the ranges of the trusted proxies, one in a line: a line of haproxy.cfg takes 64 words. */
export const PROXIES_FILE = "proxies.list";

const FROM_PROXY = `{ src -f /etc/store/${PROXIES_FILE} }`;

/** Condition for requests whose client uses HTTPS, be it with the gateway or with a trusted proxy. */
export const HTTPS = "{ var(txn.https) -m bool }";

/** Returns the directives that find the client's address and scheme. They must come before those that read the address. */
export function clientRules(
  outside: string,
  proxies: readonly string[],
  hasHttps: boolean,
): string[] {
  const mayBeHttps = hasHttps || proxies.length > 0;
  return [
    ...(hasHttps ? ["http-request set-var(txn.https) bool(true) if { ssl_fc }"] : []),
    ...(proxies.length > 0 ? proxyRules(outside) : []),
    // Those of a trusted proxy stay, except for the two headers with the address.
    `http-request del-header ${FORWARDED_HEADERS} -m reg${proxies.length > 0 ? ` unless ${PROXIED}` : ""}`,
    "http-request del-header x-forwarded-for",
    "http-request del-header forwarded",
    `http-request set-header x-forwarded-proto http if ${outside}`,
    ...(mayBeHttps ? [`http-request set-header x-forwarded-proto https if ${HTTPS}`] : []),
  ];
}

/** Condition for requests that a trusted proxy has passed on, also when the address is that of its client already. */
const PROXIED = "{ var(txn.proxied) -m bool }";

/** Headers from which programs read address, scheme, name or path of a client as a proxy has seen them. Only a proxy may send them. */
const FORWARDED_HEADERS =
  "^(x-)?(forwarded|original)(-.*)?$|^x-(real|client|cluster-client)-ip$|^(true-client|cf-connecting|fastly-client)-ip$|^x-(rewrite-url|envoy-external-address|azure-clientip)$";

/** Proxies that a request may pass through one after the other, such as a CDN and a load balancer. */
const MOST_PROXIES = 4;

/**
 * Each proxy appends the address of its own client to X-Forwarded-For. So the client is the last address that isn't a trusted proxy's;
 * everything before it is the client's own claim.
 */
function proxyRules(outside: string): string[] {
  return [
    `http-request set-var(txn.proxied) bool(true) if ${outside} ${FROM_PROXY}`,
    // The last value, because a proxy may append its own to that of the client. A proxy that reaches the gateway by HTTPS may have a
    // client that doesn't use it.
    `http-request set-var(txn.https) bool(false) if ${outside} ${FROM_PROXY} { req.hdr(x-forwarded-proto) -m found }`,
    `http-request set-var(txn.https) bool(true) if ${outside} ${FROM_PROXY} { req.hdr(x-forwarded-proto,-1) -m str -i https }`,
    ...Array.from(
      { length: MOST_PROXIES },
      (_, i) =>
        `http-request set-src hdr_ip(x-forwarded-for,-${i + 1}) if ${outside} ${FROM_PROXY} { req.hdr_ip(x-forwarded-for,-${i + 1}) -m found }`,
    ),
  ];
}
