import { forwardCorrelationHeaders, problem, type App, type Reply, type Request } from "@store/kit";
import type { Gateway } from "../gateway/gateway.ts";
import { readCookie, writeCookie } from "../http/cookies.ts";
import { isReadableOnTheWay } from "../http/scheme.ts";
import { SessionSecret } from "./seal.ts";

const COOKIE = "office";
/** Restricts the cookie to the office's pages (without HTTPS: see writeCookie), and to requests that start on our own pages. */
const SCOPE = { path: "/office", sameSite: "strict" } as const;
/** Characters that are allowed in a header. */
const TOKEN = /^[\x21-\x7e]{1,500}$/;

/**
 * A session of staff. The orders API stores it, and with it the staff token, encrypted by a secret that only the browser's cookie has: a
 * session that has expired or was ended gives nobody access, whoever has copied the cookie.
 */
interface Session {
  /** Name of the staff token. */
  readonly staff: string;
  readonly token: string;
}

const sessions = new WeakMap<Request, Session>();

/** Reads the session of each request for the office. */
export function readSessions(app: App, gateway: Gateway): void {
  app.addHook("onRequest", async (request) => {
    if (!/^\/office\b(?!\/login\b)/.test(request.url)) return;
    const secret = readSecret(request);
    if (secret === undefined) return;
    const { data } = await gateway.orders.GET(PATH, {
      params: { path: { id: secret.id } },
      headers: forwardCorrelationHeaders(request),
    });
    if (data === undefined) return;
    sessions.set(request, { staff: data.staff, token: secret.open(data.sealed) });
  });
}

/** Starts a session and stores its secret in a cookie. Returns false if the token isn't valid. */
export async function startSession(
  { orders }: Gateway,
  reply: Reply,
  token: string,
): Promise<boolean> {
  if (!TOKEN.test(token)) return false;
  const secret = SessionSecret.create();
  const { data, error, response } = await orders.PUT(PATH, {
    params: { path: { id: secret.id } },
    body: { sealed: secret.seal(token) },
    headers: bearer(reply.request, token),
  });
  if (response.status === 401) return false;
  if (data === undefined) throw problem(response.status, error.detail);
  writeCookie(reply, COOKIE, secret.text, SCOPE);
  return true;
}

/** Ends the session in every browser that has its cookie, and removes the cookie. */
export async function endSession({ orders }: Gateway, reply: Reply): Promise<void> {
  const secret = readSecret(reply.request);
  if (secret !== undefined) {
    const { error, response } = await orders.DELETE(PATH, {
      params: { path: { id: secret.id } },
      headers: forwardCorrelationHeaders(reply.request),
    });
    if (error !== undefined) throw problem(response.status, error.detail);
  }
  writeCookie(reply, COOKIE, "", SCOPE);
}

/** Returns the name of the staff token with which the request's session was started; undefined if nobody is logged in. */
export function loggedInStaff(request: Request): string | undefined {
  return sessions.get(request)?.staff;
}

const PATH = "/api/orders/staff-sessions/{id}";

function readSecret(request: Request): SessionSecret | undefined {
  // Also for a session that was started before the office required HTTPS.
  if (isReadableOnTheWay(request)) return undefined;
  const cookie = readCookie(request, COOKIE);
  return cookie === undefined ? undefined : SessionSecret.parse(cookie);
}

/**
 * Headers of an API request by staff.
 *
 * @throws Problem 401, which shows the login page, if nobody is logged in.
 */
export function staffHeaders(request: Request) {
  const session = sessions.get(request);
  if (session === undefined) throw problem(401, "Please log in first.");
  return bearer(request, session.token);
}

function bearer(request: Request, token: string) {
  return { ...forwardCorrelationHeaders(request), authorization: `Bearer ${token}` };
}

/** An API response, as the typed clients return it. */
export interface ApiResponse<Data> {
  readonly data?: Data;
  readonly error?: { readonly detail: string };
  readonly response: Response;
}

/**
 * Returns the data of an API response.
 *
 * @throws Problem 401, which shows the login page, if the token is invalid; for any other error the API's problem.
 */
export function requireData<Data>(answer: ApiResponse<Data>): Data {
  requireValidToken(answer);
  if (answer.data !== undefined) return answer.data;
  throw problem(answer.response.status, answer.error?.detail ?? "The action failed.");
}

/** @throws Problem 401 if the API rejected the token. */
export function requireValidToken({ response }: { readonly response: Response }): void {
  if (response.status !== 401) return;
  throw problem(401, "Your token is no longer valid. Please log in again.");
}
