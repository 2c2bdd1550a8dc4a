import { createHash, createPublicKey } from "node:crypto";

/** A certificate authority that issues certificates by ACME (RFC 8555). */
export interface AcmeArgs {
  /** Address of the authority's directory. */
  readonly directory: string;
  /** Address to which the authority may write. Defaults to none. */
  readonly email?: string;
  /** Profile of the certificates, by the authority's name for it. Defaults to the authority's choice. */
  readonly profile?: string;
  /** PEM of the root certificates by which the directory is trusted, beside those of the system. Defaults to none. */
  readonly root?: string;
}

/** Name under which Docker and the store command know the certificates' container and volume. */
export const CERTIFICATES = "certificates";
/** Name of the certificates' folder among those of the databases' data. */
export const CERTIFICATES_FOLDER = "gateway-certificates";

/** Domain of the directories of Let's Encrypt, the one for tests included. */
export const LETS_ENCRYPT = "api.letsencrypt.org/";
export const DEFAULT_DIRECTORY = `https://acme-v02.${LETS_ENCRYPT}directory`;

/**
 * Returns the answer to each HTTP-01 challenge of an account, as a log format of HAProxy: the token, which is the last segment of the
 * path, and the thumbprint of the account's key. So the gateway needs no word from the container that orders.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8555#section-8.1
 */
export function challengeAnswer(publicKeyPem: string): string {
  return `%[path,field(-1,/)].${thumbprint(publicKeyPem)}`;
}

/** Returns the thumbprint of a key for ECDSA (RFC 7638): a hash over its required members in the order of their names. */
export function thumbprint(publicKeyPem: string): string {
  const { crv, kty, x, y } = createPublicKey(publicKeyPem).export({ format: "jwk" });
  return createHash("sha256").update(JSON.stringify({ crv, kty, x, y })).digest("base64url");
}

/**
 * Returns the folder, in the volume of the certificates, of the one for these names by this authority. Another authority and other names
 * have another folder, so that a certificate is never used for what it isn't valid for, and is still there if the configuration is
 * changed back.
 */
export function certificateFolder({ directory }: AcmeArgs, names: readonly string[]): string {
  const hash = createHash("sha256").update(JSON.stringify([directory, [...names].sort()]));
  return `${names[0] ?? ""}-${hash.digest("hex").slice(0, 8)}`;
}

/** Returns the file with the certificate, its issuers and the private key, beside {@link certificateFolder}. */
export function certificateFile(acme: AcmeArgs, names: readonly string[]): string {
  return `${certificateFolder(acme, names)}.pem`;
}
