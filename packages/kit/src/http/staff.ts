import { createHash } from "node:crypto";
import type { FastifyRequest, onRequestHookHandler } from "fastify";
import { EnvironmentError, readEnvironment, secretFile, type Variable } from "../environment.ts";
import { problem } from "./problems.ts";

/** Name of the staff token's security scheme in the OpenAPI documents. */
export const STAFF_SCHEME = "staff";

/** Names of the staff whose requests a hook has admitted. */
const admitted = new WeakMap<FastifyRequest, string>();

/**
 * Creates an onRequest hook that admits only staff: requests with `Authorization: Bearer TOKEN`, whose hash is in the file that
 * STAFF_TOKENS_FILE names. Other requests get 401 before their body is parsed. The file is read for each request, so that added and
 * removed tokens need no restart. All log lines of an admitted request have the token's name in the field `staff`.
 *
 * @throws EnvironmentError if the file is missing or has no token.
 */
export function staffHook(): onRequestHookHandler {
  const names = readNames();
  if (names().size === 0)
    throw new EnvironmentError(
      "STAFF_TOKENS_FILE names a file without a token: a line has a name and the token's SHA-256 in hexadecimal",
    );
  return (request, reply, done) => {
    const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "") ?? [];
    // Comparing hashes takes a time that tells nothing about a token.
    const name = token === undefined ? undefined : names().get(sha256(token));
    if (name === undefined) {
      done(unauthorized(token));
      return;
    }
    admitted.set(request, name);
    request.log = reply.log = request.log.child({ staff: name });
    done();
  };
}

/** Returns the name of the token with which a staff request was sent, for the history of what it changes. */
export function staffName(request: FastifyRequest): string {
  const name = admitted.get(request);
  if (name === undefined) throw new Error("the route doesn't have the staff hook");
  return name;
}

/** Returns a function that reads the names by the tokens' hashes. */
function readNames(): () => ReadonlyMap<string, string> {
  const optional: Variable<(() => string) | undefined> = (value) =>
    value === undefined ? undefined : secretFile()(value);
  const variables = readEnvironment({ STAFF_TOKENS_FILE: optional, STAFF_TOKEN_FILE: optional });
  const { STAFF_TOKENS_FILE: tokens, STAFF_TOKEN_FILE: token } = variables;
  if (tokens !== undefined) return () => parseTokens(tokens());
  // Services from before the release with several tokens have STAFF_TOKEN in their spec.
  if (token !== undefined)
    return () => new Map(token() === "" ? [] : [[sha256(token()), FIRST_TOKEN]]);
  throw new EnvironmentError(
    "Invalid environment: STAFF_TOKENS_FILE is missing: the path of a file with the hashes of the staff tokens",
  );
}

/** Name of the token that every stack creates, as in components/staffTokens.ts. */
const FIRST_TOKEN = "staff";

function parseTokens(text: string): Map<string, string> {
  const lines = [...text.matchAll(/^(\S+) ([0-9a-f]{64})$/gm)];
  return new Map(lines.map(([, name = "", hash = ""]) => [hash, name]));
}

function unauthorized(token: string | undefined) {
  const detail =
    token === undefined
      ? "This route is for staff only: send a staff token as Authorization: Bearer TOKEN."
      : "This isn't a staff token, or it was removed.";
  return problem(401, detail, { headers: { "www-authenticate": "Bearer" } });
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
