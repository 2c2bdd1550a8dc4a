import type { FastifyRequest, onRequestHookHandler } from "fastify";
import { EnvironmentError, optional, readEnvironment, secretFile } from "../environment.ts";
import {
  bearerToken,
  hashOf,
  type HashedTokens,
  nameOfToken,
  readHashedTokens,
  unauthorized,
} from "./hashedTokens.ts";

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
  const tokens = staffTokens();
  if (tokens().size === 0)
    throw new EnvironmentError(
      "STAFF_TOKENS_FILE names a file without a token: a line has a name and the token's SHA-256 in hexadecimal",
    );
  return (request, reply, done) => {
    const token = bearerToken(request);
    const name = token === undefined ? undefined : nameOfToken(tokens(), token);
    if (name === undefined) {
      done(refusal(token));
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

/** Returns a function that reads the tokens. */
function staffTokens(): () => HashedTokens {
  const { STAFF_TOKENS_FILE: tokens, STAFF_TOKEN_FILE: token } = readEnvironment({
    STAFF_TOKENS_FILE: optional(secretFile()),
    STAFF_TOKEN_FILE: optional(secretFile()),
  });
  if (tokens !== undefined) return () => readHashedTokens(tokens());
  // Services from before the release with several tokens have STAFF_TOKEN in their spec.
  if (token !== undefined)
    return () => new Map(token() === "" ? [] : [[hashOf(token()), FIRST_TOKEN]]);
  throw new EnvironmentError(
    "Invalid environment: STAFF_TOKENS_FILE is missing: the path of a file with the hashes of the staff tokens",
  );
}

/** Name of the token that every stack creates, as in components/staffTokens.ts. */
const FIRST_TOKEN = "staff";

function refusal(token: string | undefined) {
  const detail =
    token === undefined
      ? "This route is for staff only: send a staff token as Authorization: Bearer TOKEN."
      : "This isn't a staff token, or it was removed.";
  return unauthorized(detail);
}
