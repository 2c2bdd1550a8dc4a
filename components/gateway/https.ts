import type * as pulumi from "@pulumi/pulumi";
import { readWithoutComments } from "../shell/shell";
import { GATEWAY_HTTPS_PORT, GATEWAY_PUBLISHED_PORT, HTTPS, outsideOf } from "./clients";

/** HTTPS at the gateway. */
export interface Https {
  /** Names of the store. The first one is that of its address. */
  readonly names: readonly string[];
  /** Port of the host. */
  readonly port: number;
  /** Time in seconds for which browsers use nothing but HTTPS for these names (HSTS). 0 ends it. */
  readonly hstsSeconds: number;
  readonly certificate: {
    /** The certificate, its issuers in order, and the private key. Secret. */
    readonly pem: pulumi.Input<string>;
    /** Changes with the certificate. */
    readonly fingerprint: string;
    readonly expires: Date;
  };
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
/** Name of the file with the certificate, its issuers and the private key. */
export const CERTIFICATE_FILE = "store.pem";

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
  const certificate = `ssl crt ${CERTIFICATE_FOLDER}/${CERTIFICATE_FILE} alpn h2,http/1.1`;
  return {
    tls: readWithoutComments(__dirname, "tls.cfg").trim(),
    httpsBind: `bind :${GATEWAY_HTTPS_PORT} ${certificate}`,
    httpsBindIpv6: `bind :::${GATEWAY_HTTPS_PORT} v6only ${certificate}`,
    httpsRedirect: redirect(https, behindProxy).join("\n    "),
    hsts: hsts(https),
    certificateMetric: certificateMetric(https),
  };
}

/** Status 308 keeps method and body. A host that isn't one of the store's names, such as an address, becomes the first name. */
function redirect({ names, port }: Https, behindProxy: boolean): string[] {
  const condition = behindProxy
    ? `${outsideOf(true)} { path_beg / } !${HTTPS}`
    : `{ dst_port ${GATEWAY_PUBLISHED_PORT} } { path_beg / }`;
  return [
    "http-request set-var(txn.host) req.hdr(host),host_only,lower",
    `http-request set-var(txn.host) str(${names[0]}) unless { var(txn.host) -m str -f /etc/store/${NAMES_FILE} }`,
    // Each visitor who types the name alone is redirected once.
    `http-request set-log-level silent if ${condition}`,
    `http-request redirect code 308 location "https://%[var(txn.host)]${portSuffix(port)}%[pathq]" if ${condition}`,
  ];
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
function certificateMetric({ names, certificate }: Https): string {
  const metric = "gateway_certificate_expiry_timestamp_seconds";
  const seconds = Math.floor(certificate.expires.getTime() / 1000);
  const lines = [
    `# HELP ${metric} End of the validity of the gateway's certificate`,
    `# TYPE ${metric} gauge`,
    `${metric}{name=\\"${names[0]}\\"} ${seconds}`,
  ];
  return `http-request return status 200 content-type "text/plain; version=0.0.4" string "${lines.join("\\n")}\\n" if { path /metrics/certificate }`;
}
