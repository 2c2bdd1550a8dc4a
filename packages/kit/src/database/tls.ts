import type { ConnectionOptions } from "node:tls";

/**
 * Values of DATABASE_SSLMODE, a part of those of PostgreSQL's own `sslmode`: no TLS, TLS without a check of the server's certificate, and
 * TLS with a certificate of a trusted authority for the server's name.
 *
 * @see https://www.postgresql.org/docs/current/libpq-ssl.html
 */
export const SSL_MODES = ["disable", "require", "verify-full"] as const;

/**
 * Returns pg's option `ssl`.
 *
 * @param root Root certificates of the authority, in PEM. Defaults to those that Node trusts.
 */
export function tlsOptions(
  mode: (typeof SSL_MODES)[number],
  root: string | undefined,
): false | ConnectionOptions {
  if (mode === "disable") return false;
  if (mode === "require") return { rejectUnauthorized: false };
  return { rejectUnauthorized: true, ...(root !== undefined && { ca: root }) };
}
