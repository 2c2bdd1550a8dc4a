import { createHash, timingSafeEqual } from "node:crypto";
import type { onRequestHookHandler } from "fastify";
import { EnvironmentError, readEnvironment, secretFile } from "../environment.ts";
import { problem } from "./problems.ts";

/** Name of the staff token's security scheme in the OpenAPI documents. */
export const STAFF_SCHEME = "staff";

/**
 * Creates an onRequest hook that admits only staff: requests with `Authorization: Bearer TOKEN`, where TOKEN is the content of the file
 * that STAFF_TOKEN_FILE names. Other requests get 401 before their body is parsed. The file is read for each request, so that a new
 * token needs no restart.
 *
 * @throws EnvironmentError if the file is missing or empty.
 */
export function staffHook(): onRequestHookHandler {
  const { STAFF_TOKEN_FILE: token } = readEnvironment({ STAFF_TOKEN_FILE: secretFile() });
  if (token() === "") throw new EnvironmentError("STAFF_TOKEN_FILE names a file that is empty");
  return (request, _reply, done) => {
    const [, sentToken] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "") ?? [];
    if (sentToken !== undefined && equalsInConstantTime(sentToken, token())) done();
    else done(unauthorized(sentToken));
  };
}

function unauthorized(sentToken: string | undefined) {
  const detail =
    sentToken === undefined
      ? "This route is for staff only: send the staff token as Authorization: Bearer TOKEN."
      : "The token isn't the staff token.";
  return problem(401, detail, { headers: { "www-authenticate": "Bearer" } });
}

function equalsInConstantTime(one: string, other: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}
