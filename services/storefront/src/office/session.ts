import { passOn, problem, type Reply, type Request } from "@store/kit";
import { readCookie, writeCookie } from "../http/cookies.ts";

const COOKIE = "office";
/** For the office's own pages alone, and never along with a link from elsewhere. */
const SCOPE = { path: "/office", sameSite: "strict" } as const;
/** What can stand in a header. */
const TOKEN = /^[\x21-\x7e]{1,500}$/;

/** The token of whoever is logged in. The storefront itself knows none, and can't tell a right one. */
export function readToken(request: Request): string | undefined {
  const token = readCookie(request, COOKIE);
  return token !== undefined && isToken(token) ? token : undefined;
}

/** Keeps the token in the browser until that is closed; an empty one logs out. */
export function writeToken(reply: Reply, token: string): void {
  writeCookie(reply, COOKIE, token, SCOPE);
}

export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/**
 * Headers of a request that the store's own people make.
 *
 * @throws Problem 401, which shows the login, where nobody is logged in.
 */
export function staffHeaders(request: Request, token = readToken(request)) {
  if (token === undefined) throw problem(401, "Please log in first.");
  return { ...passOn(request), authorization: `Bearer ${token}` };
}

/** Of the gateway, to one of its clients. */
export interface Answer<Data> {
  readonly data?: Data;
  readonly error?: { readonly detail: string };
  readonly response: Response;
}

/**
 * What was asked for, of an answer to the store's own people.
 *
 * @throws Problem 401 where the token isn't right (any more), which shows the login; otherwise what the API said.
 */
export function granted<Data>(answer: Answer<Data>): Data {
  checkLogin(answer);
  if (answer.data !== undefined) return answer.data;
  throw problem(answer.response.status, answer.error?.detail ?? "That can't be done.");
}

/** @throws Problem 401 where the token isn't right (any more). */
export function checkLogin({ response }: { readonly response: Response }): void {
  if (response.status !== 401) return;
  throw problem(
    401,
    "The token that you logged in with isn’t the store’s any more. Please log in again.",
  );
}
