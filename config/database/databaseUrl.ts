import { isValid, parse } from "ipaddr.js";
import type { DatabaseServer, SslMode } from "../../components/database/externalDatabase";

/** Address of an external database, with the login. */
export interface DatabaseUrl extends Omit<DatabaseServer, "password" | "root"> {
  readonly password: string;
}

const EXAMPLE = "postgres://USER:PASSWORD@db.example.org:5432/NAME?sslmode=verify-full";

export const DATABASE_URL_HINT = `should be a URL such as ${EXAMPLE}`;

const ESCAPES =
  "Special characters in user and password are written as %40 for @, %2F for /, %3A for :, %3F for ?, %23 for # and %25 for %";

/** Returns what is wrong with the URL of a database, without a part of the URL that may be secret; undefined if it is valid. */
export function databaseUrlProblem(text: string): string | undefined {
  const read = readUrl(text);
  return typeof read === "string" ? `${read}.` : undefined;
}

/** @throws Error for a URL that has a problem. */
export function parseDatabaseUrl(text: string): DatabaseUrl {
  const read = readUrl(text);
  if (typeof read === "string") throw new Error("The schema allowed an invalid database URL.");
  return read;
}

/** Returns the parts of a URL, or a problem. */
function readUrl(text: string): DatabaseUrl | string {
  if (!URL.canParse(text)) return `${DATABASE_URL_HINT}. ${ESCAPES}`;
  const url = new URL(text);
  const [user, password, database] = [url.username, url.password, url.pathname.slice(1)].map(
    decoded,
  );
  if (!/^postgres(ql)?:$/.test(url.protocol)) return DATABASE_URL_HINT;
  if (!user || !password || !database || url.hostname === "")
    return `should have a user, a password, a host and the name of a database: ${EXAMPLE}. ${ESCAPES}`;
  if (url.hash !== "" || url.pathname.slice(1).includes("/"))
    return `should have no "#" and one "/" after the host. ${ESCAPES}`;
  // eslint-disable-next-line no-control-regex -- a password file ends with its line.
  if (/[\x00-\x1f]/.test(user + password + database)) return "should have no control character";
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (!/^[A-Za-z0-9._-]+$/.test(host) && !isValid(host))
    return "should have one host name or address";
  const sslMode = url.searchParams.get("sslmode") ?? "verify-full";
  return (
    parameterProblem(url.searchParams) ??
    (isSslMode(sslMode) ? undefined : sslModeProblem(sslMode)) ??
    hostProblem(host, sslMode) ?? {
      ...{ host, port: Number(url.port || 5432), database, user, password },
      sslMode: sslMode as SslMode,
    }
  );
}

/** Returns an empty text for one that can't be decoded. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

function parameterProblem(parameters: URLSearchParams): string | undefined {
  const names = [...parameters.keys()];
  if (names.includes("sslrootcert"))
    return "should have no sslrootcert, which names a file of another machine. Set store:databaseRoot to the root certificates";
  const other = names.find((name, i) => name !== "sslmode" || names.indexOf(name) < i);
  if (other === undefined) return undefined;
  return `should have no parameter ${JSON.stringify(other)}: the only one is sslmode, once`;
}

const SSL_MODES: readonly string[] = ["verify-full", "require", "disable"] satisfies SslMode[];

function isSslMode(mode: string): mode is SslMode {
  return SSL_MODES.includes(mode);
}

function sslModeProblem(mode: string): string {
  return (
    `should have sslmode=verify-full (TLS, and the certificate is the server's), require (TLS with any certificate) or, in a private network, ` +
    `disable, not ${JSON.stringify(mode)}`
  );
}

function hostProblem(host: string, sslMode: string): string | undefined {
  const range = isValid(host) ? parse(host).range() : undefined;
  if (/^localhost\.?$/i.test(host) || range === "loopback")
    return `should have the name by which other machines reach the server: ${host} is the service's own container`;
  if (sslMode === "disable" && range === "unicast")
    return `should have sslmode=verify-full: ${host} is a public address, so everybody on the way could read and change the data`;
  return undefined;
}
