import type { FastifyRequest, onRequestHookHandler } from "fastify";
import { readEnvironment, secretFile } from "../environment.ts";
import type { App } from "./app.ts";
import { bearerToken, nameOfToken, readHashedTokens, unauthorized } from "./hashedTokens.ts";
import { INTERNAL } from "./internalPaths.ts";

/** Name of the security scheme of internal routes in the OpenAPI documents. */
export const CALLER_SCHEME = "service";

const callers = new WeakMap<FastifyRequest, string>();

/** Returns the name of the service that sent a request to an internal route; undefined on other routes. */
export function callerOf(request: FastifyRequest): string | undefined {
  return callers.get(request);
}

/**
 * Makes each internal route that is added from now on admit only services: requests with `Authorization: Bearer TOKEN`, where the SHA-256
 * of TOKEN is in a line "NAME HASH" of the file that CALLERS_FILE names. Other requests get 401 before their body is parsed. The file is
 * read for each request, so that a new caller needs no restart.
 *
 * @throws EnvironmentError when an internal route is added without the file.
 */
export function requireCallers(app: App): void {
  let hook: onRequestHookHandler | undefined;
  app.addHook("onRoute", (route) => {
    if (!route.url.startsWith(INTERNAL)) return;
    hook ??= callerHook();
    // Fastify adds a HEAD route with the same options after each GET route.
    const others = [route.onRequest ?? []].flat().filter((other) => other !== hook);
    route.onRequest = [hook, ...others];
    if (route.schema !== undefined)
      Reflect.set(route.schema, "security", [{ [CALLER_SCHEME]: [] }]);
  });
}

function callerHook(): onRequestHookHandler {
  const { CALLERS_FILE: file } = readEnvironment({ CALLERS_FILE: secretFile() });
  return (request, _reply, done) => {
    const token = bearerToken(request);
    const caller = token === undefined ? undefined : nameOfToken(readHashedTokens(file()), token);
    if (caller === undefined) {
      done(refusal(token));
      return;
    }
    callers.set(request, caller);
    done();
  };
}

function refusal(token: string | undefined) {
  const detail =
    token === undefined
      ? "This route is for other services only: send the token for this service as Authorization: Bearer TOKEN."
      : "The token isn't that of a service that depends on this one.";
  return unauthorized(detail);
}
