import { createHash, timingSafeEqual } from "node:crypto";
import type { onRequestHookHandler } from "fastify";
import { EnvironmentError, readEnvironment, secretFile } from "../environment.ts";
import { problem } from "./problems.ts";

/** Name under which OpenAPI documents speak of the staff's token. */
export const STAFF_SCHEME = "staff";

/**
 * Makes a hook that lets only the store's own people pass: those who send the token that STAFF_TOKEN_FILE holds, as
 * `Authorization: Bearer TOKEN`. Everybody else is answered 401 before their body is looked at. The file is read at each
 * use, so that a new token needs no restart.
 *
 * @throws EnvironmentError when the file is missing or empty.
 */
export function staffHook(): onRequestHookHandler {
  const { STAFF_TOKEN_FILE: token } = readEnvironment({ STAFF_TOKEN_FILE: secretFile() });
  if (token() === "") throw new EnvironmentError("STAFF_TOKEN_FILE names a file that is empty");
  return (request, _reply, done) => {
    const [, given] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "") ?? [];
    if (given !== undefined && isSame(given, token())) done();
    else done(refusal(given));
  };
}

function refusal(given: string | undefined) {
  const detail =
    given === undefined
      ? "This is for the store's own people: send their token as Authorization: Bearer TOKEN."
      : "The token isn't the one of the store's own people.";
  return problem(401, detail, { headers: { "www-authenticate": "Bearer" } });
}

/** Takes as long for a token that is nearly right as for one that is all wrong. */
function isSame(one: string, other: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
