import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { isIP } from "node:net";
import { checkServerIdentity, connect, rootCertificates } from "node:tls";
import { messageOf } from "@store/docker/messageOf";
import { RENEWAL_DAYS } from "../../../../config/https/certificate";

/** The certificate that a server shows for a name. */
export interface ServedCertificate {
  readonly starts: Date;
  readonly expires: Date;
  /** Reason for which a client refuses the certificate, as the predicate of a sentence whose subject is the certificate. */
  readonly problem: string | undefined;
}

const TIMEOUT_MS = 3_000;
const DAY_MS = 24 * 3600 * 1000;

/**
 * Asks for the certificate of an HTTPS address.
 *
 * @param root Root certificates to trust beside Node's (store:acmeRoot). Defaults to none.
 * @param at Address to connect to, because the name may not lead to the store yet. Defaults to the name.
 * @returns undefined if there is no TLS server.
 */
export async function servedCertificate(
  url: string,
  root: string | undefined,
  at?: string,
): Promise<ServedCertificate | undefined> {
  const { hostname, port } = new URL(url);
  const socket = connect({
    ...{ host: at ?? hostname, port: Number(port || 443), servername: serverName(hostname) },
    checkServerIdentity: (_, certificate) => checkServerIdentity(hostname, certificate),
    // The problem is returned, not thrown.
    rejectUnauthorized: false,
    ...(root !== undefined && { ca: [...rootCertificates, root] }),
  });
  try {
    await once(socket, "secureConnect", { signal: AbortSignal.timeout(TIMEOUT_MS) });
    // Node's types say Error, but it is the code of the error.
    const error = socket.authorizationError as unknown;
    const { valid_from: start, valid_to: end } = socket.getPeerCertificate();
    return {
      starts: new Date(start),
      expires: new Date(end),
      problem: socket.authorized ? undefined : problemOf(error, hostname),
    };
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}

/** Returns the name for TLS, which has none for addresses (RFC 6066). */
export function serverName(hostname: string): string {
  return isIP(hostname) === 0 ? hostname : "";
}

function problemOf(error: unknown, name: string): string {
  switch (error) {
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return `isn't valid for ${name}`;
    case "CERT_HAS_EXPIRED":
      return "has expired";
    case "CERT_NOT_YET_VALID":
      return "isn't valid yet";
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_GET_ISSUER_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
      return "isn't from an authority that Node knows, or its chain is incomplete";
    default:
      return `is refused: ${messageOf(error)}`;
  }
}

/**
 * Returns true if the certificate should have been replaced.
 *
 * @param isOrdered It is renewed automatically, when a third of its validity is left.
 */
export function needsRenewal(
  { starts, expires, problem }: ServedCertificate,
  isOrdered: boolean,
  now = new Date(),
): boolean {
  const days = isOrdered ? (expires.getTime() - starts.getTime()) / DAY_MS / 4 : RENEWAL_DAYS;
  return problem !== undefined || daysLeft(expires, now) <= days;
}

/** Describes a certificate in a phrase such as "valid for 63 days, until 2027-01-30". */
export function describeCertificate(
  { expires, problem }: ServedCertificate,
  now = new Date(),
): string {
  const days = daysLeft(expires, now);
  const date = expires.toISOString().slice(0, 10);
  const time =
    days < 0
      ? `expired on ${date}`
      : `valid for ${days} ${days === 1 ? "day" : "days"}, until ${date}`;
  return problem === undefined || days < 0 ? time : `${time}; it ${problem}`;
}

function daysLeft(expires: Date, now: Date): number {
  return Math.floor((expires.getTime() - now.getTime()) / DAY_MS);
}

/**
 * Compares where a store's name and its host's address lead.
 *
 * @returns the addresses to which the name leads instead, none if it leads nowhere; undefined if both lead to the same address, or if the
 *   host's isn't known.
 */
export async function otherAddresses(
  name: string,
  host: string,
): Promise<readonly string[] | undefined> {
  const addresses = async (of: string): Promise<string[]> =>
    (await lookup(of, { all: true })).map(({ address }) => address);
  const expected = await addresses(host).catch(() => undefined);
  if (expected === undefined) return undefined;
  const found = await addresses(name).catch(() => []);
  return found.some((address) => expected.includes(address)) ? undefined : found;
}
