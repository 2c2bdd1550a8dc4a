import type * as pulumi from "@pulumi/pulumi";
import { HOST } from "./rules/hosts";
import { readWithoutComments, withArguments } from "../shell/shell";
import { GATEWAY_HTTPS_PORT, GATEWAY_PUBLISHED_PORT, HTTPS, outsideOf } from "./rules/clients";

/** HTTPS at the gateway. */
export interface Https {
  /** Names of the store and of services with hosts of their own, wildcards included. The first one is that of the store's address. */
  readonly names: readonly string[];
  /** Port of the host. */
  readonly port: number;
  /** Time in seconds for which browsers use nothing but HTTPS for these names (HSTS). 0 ends it. */
  readonly hstsSeconds: number;
  readonly certificate: OwnCertificate | OrderedCertificate;
}

/** A certificate from the stack's configuration. */
export interface OwnCertificate {
  /** The certificate, its issuers in order, and the private key. Secret. */
  readonly pem: pulumi.Input<string>;
  /** Changes with the certificate. */
  readonly fingerprint: string;
  readonly expires: Date;
}

/** A certificate that a container orders and renews (components/certificates). */
export interface OrderedCertificate {
  /** Self-signed certificate with its private key, for a gateway that has no other yet. Secret. */
  readonly placeholder: pulumi.Input<string>;
  /** Answer to the certificate authority's challenges, as a log format of HAProxy. */
  readonly challengeAnswer: pulumi.Input<string>;
  /** Name of the volume with the ordered certificate. */
  readonly volumeName: pulumi.Input<string>;
  /** Name of its file in the volume: the certificate, its issuers in order, and the private key. It may not exist yet. */
  readonly file: string;
}

/** Returns the certificate from the stack's configuration; undefined if there is none, or no HTTPS. */
export function ownCertificate(https: Https | undefined): OwnCertificate | undefined {
  return https && "pem" in https.certificate ? https.certificate : undefined;
}

/** Returns the ordered certificate; undefined if there is none, or no HTTPS. */
export function orderedCertificate(https: Https | undefined): OrderedCertificate | undefined {
  return https && "file" in https.certificate ? https.certificate : undefined;
}

/** Returns the store's address. */
export function httpsUrl({ names, port }: Pick<Https, "names" | "port">): string {
  return `https://${names[0]}${portSuffix(port)}`;
}

function portSuffix(port: number): string {
  return port === 443 ? "" : `:${port}`;
}

/** Folder of the certificate in the gateway's container. */
export const CERTIFICATE_FOLDER = "/etc/store-certificate";
/** Name of the file with the store's names, one in a line: a line of haproxy.cfg takes 64 words. */
export const NAMES_FILE = "names.list";
/**
 * Name of the file with the certificate, its issuers and the private key: the one from the configuration; where a certificate is ordered,
 * the last one from there, or the self-signed one.
 */
export const CERTIFICATE_FILE = "store.pem";
/** Folder of the ordered certificates in the gateway's container. Its path is literal in loadCertificate.sh. */
export const ORDERED_FOLDER = "/etc/store-certificates";
/** Name of the file with {@link OrderedCertificate.challengeAnswer}. */
const CHALLENGE_FILE = "challenge.answer";
/** Name of the file with {@link OrderedCertificate.file}, which loadCertificate.sh reads. */
const ORDERED_NAME_FILE = "certificate.name";
/** Files of loadCertificate.sh: the ordered certificate in use, and a map with its end. */
const USED_FILE = "/tmp/certificate.pem";
const EXPIRY_MAP = "/tmp/certificate.map";

/** Condition for an ordered certificate that is there, to append to another one. */
const HAS_ORDERED = ` { str(expires),map_str_int(${EXPIRY_MAP},0) gt 0 }`;

/** Returns the content of {@link CERTIFICATE_FILE}. */
export function initialPem({ certificate }: Https): pulumi.Input<string> {
  return "pem" in certificate ? certificate.pem : certificate.placeholder;
}

/** Returns the files of a gateway whose certificate is ordered, beside those of every gateway. */
export function orderedFiles(
  certificate: OrderedCertificate,
): Readonly<Record<string, pulumi.Input<string>>> {
  return {
    [CHALLENGE_FILE]: certificate.challengeAnswer,
    [ORDERED_NAME_FILE]: `${certificate.file}\n`,
  };
}

/** Returns the start script of the gateway, which also chooses the certificate if it is ordered. */
export function startScript(https: Https | undefined): string {
  const start = `${readWithoutComments(__dirname, "start.sh")}\n`;
  if (orderedCertificate(https) === undefined) return start;
  const load = readWithoutComments(__dirname, "loadCertificate.sh");
  return withArguments(load, [`${CERTIFICATE_FOLDER}/${CERTIFICATE_FILE}`]) + start;
}

type Placeholder =
  "tls" | "httpsBind" | "httpsBindIpv6" | "httpsRedirect" | "hsts" | "certificateMetric";

/**
 * Returns the parts of haproxy.cfg for HTTPS.
 *
 * @param behindProxy A client's HTTPS may end at a proxy in front of the gateway.
 */
export function httpsParts(
  https: Https | undefined,
  behindProxy: boolean,
): Record<Placeholder, string> {
  if (https === undefined) {
    const none = { httpsBind: "", httpsBindIpv6: "", httpsRedirect: "" };
    return { ...none, tls: "", hsts: "", certificateMetric: "" };
  }
  const isOrdered = orderedCertificate(https) !== undefined;
  const file = isOrdered ? USED_FILE : `${CERTIFICATE_FOLDER}/${CERTIFICATE_FILE}`;
  const certificate = `ssl crt ${file} alpn h2,http/1.1`;
  const tls = readWithoutComments(__dirname, "tls.cfg").trim();
  return {
    tls: isOrdered ? `${CERTIFICATE_SOCKET}\n    ${tls}` : tls,
    httpsBind: `bind :${GATEWAY_HTTPS_PORT} ${certificate}`,
    httpsBindIpv6: `bind :::${GATEWAY_HTTPS_PORT} v6only ${certificate}`,
    httpsRedirect: redirect(https, behindProxy).join("\n    "),
    hsts: hsts(https),
    certificateMetric: certificateMetric(https),
  };
}

/** For loadCertificate.sh. A socket of its own, because it takes the level "admin" to change a certificate. */
const CERTIFICATE_SOCKET = "stats socket ipv4@127.0.0.1:8406 level admin";

/**
 * Returns the directives that answer the challenges of a certificate authority (RFC 8555, HTTP-01). They come before rate limits and
 * redirects: an authority asks from several addresses, and follows no redirect to a certificate that isn't there yet.
 */
export function challengeRules(https: Https | undefined): string[] {
  if (orderedCertificate(https) === undefined) return [];
  return [
    `http-request return status 200 content-type text/plain lf-file /etc/store/${CHALLENGE_FILE} if { path_reg ^/\\.well-known/acme-challenge/[A-Za-z0-9_-]{1,128}$ }`,
  ];
}

/**
 * Status 308 keeps method and body. A host that isn't one of the store's names, such as an address, becomes the first name. While there is
 * only the self-signed certificate, which browsers refuse, the store is served by HTTP: an order may be refused for days.
 */
function redirect(https: Https, behindProxy: boolean): string[] {
  const { names, port } = https;
  const fromOutside = behindProxy
    ? `${outsideOf(true)} { path_beg / } !${HTTPS}`
    : `{ dst_port ${GATEWAY_PUBLISHED_PORT} } { path_beg / }`;
  const condition = fromOutside + (orderedCertificate(https) ? HAS_ORDERED : "");
  return [
    `http-request set-var(txn.https_host) ${HOST}`,
    `http-request set-var(txn.https_host) str(${names[0]}) unless ${isNamed(names)}`,
    // Each visitor who types the name alone is redirected once.
    `http-request set-log-level silent if ${condition}`,
    `http-request redirect code 308 location "https://%[var(txn.https_host)]${portSuffix(port)}%[pathq]" if ${condition}`,
  ];
}

/** Condition for a host that is one of the names, or matches a wildcard among them. */
function isNamed(names: readonly string[]): string {
  const listed = `-m str -f /etc/store/${NAMES_FILE}`;
  const wildcard = names.some((name) => name.startsWith("*."))
    ? ` or { ${HOST},regsub('^[^.]+','*') ${listed} }`
    : "";
  return `{ ${HOST} ${listed} }${wildcard}`;
}

/**
 * Not for names that others have, too: browsers apply HSTS to all ports of localhost, and Azure gives a released label to the next
 * customer.
 */
function hsts({ names, port, hstsSeconds }: Https): string {
  // Browsers keep a port that is named: http://NAME:8080 would become https://NAME:8080.
  if (port !== 443) return "";
  if (names.some((name) => /(^|\.)(localhost|cloudapp\.azure\.com)$/.test(name))) return "";
  return `http-after-response set-header strict-transport-security max-age=${hstsSeconds} if ${HTTPS}`;
}

/** The answer to /metrics/certificate, a gauge of Prometheus: HAProxy's own metrics don't have the end of a certificate. */
function certificateMetric(https: Https): string {
  const { names } = https;
  const metric = "gateway_certificate_expiry_timestamp_seconds";
  const own = ownCertificate(https);
  // 0 for the self-signed certificate, which no client trusts.
  const seconds = own
    ? Math.floor(own.expires.getTime() / 1000)
    : `%[str(expires),map(${EXPIRY_MAP},0)]`;
  const lines = [
    `# HELP ${metric} End of the validity of the gateway's certificate`,
    `# TYPE ${metric} gauge`,
    `${metric}{name=\\"${names[0]}\\"} ${seconds}`,
  ];
  return `http-request return status 200 content-type "text/plain; version=0.0.4" ${own ? "string" : "lf-string"} "${lines.join("\\n")}\\n" if { path /metrics/certificate }`;
}
