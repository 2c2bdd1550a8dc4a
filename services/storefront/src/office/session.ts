import { forwardCorrelationHeaders, problem, type Request, type Reply } from "@store/kit";
import { readCookie, writeCookie } from "../http/cookies.ts";
import { isReadableOnTheWay } from "../http/scheme.ts";

const COOKIE = "office";
/** Restricts the cookie to the office's pages (without HTTPS: see writeCookie), and to requests that start on our own pages. */
const SCOPE = { path: "/office", sameSite: "strict" } as const;
/** Characters that are allowed in a header. */
const TOKEN = /^[\x21-\x7e]{1,500}$/;

/** Returns the staff token of the session. The storefront doesn't know the valid token: only the API can check it. */
export function readToken(request: Request): string | undefined {
  // Also for a session that was started before the office required HTTPS.
  if (isReadableOnTheWay(request)) return undefined;
  const token = readCookie(request, COOKIE);
  return token !== undefined && isToken(token) ? token : undefined;
}

/** Stores the token in a session cookie. An empty token logs out. */
export function writeToken(reply: Reply, token: string): void {
  writeCookie(reply, COOKIE, token, SCOPE);
}

/** @returns true if the text has a token's format. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/**
 * Headers of an API request by staff.
 *
 * @throws Problem 401, which shows the login page, if nobody is logged in.
 */
export function staffHeaders(request: Request, token = readToken(request)) {
  if (token === undefined) throw problem(401, "Please log in first.");
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
