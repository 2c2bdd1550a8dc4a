import type { CookieSerializeOptions } from "@fastify/cookie";
import type { Reply, Request } from "@store/kit";

/** @returns the cookie's value; `undefined` if the request has no such cookie, or is too malformed to be parsed. */
export function readCookie(request: Request, name: string): string | undefined {
  const cookies = request.cookies as Record<string, string | undefined> | null;
  return cookies?.[name];
}

/** Sets a cookie that no script can read. An empty value removes it. */
export function writeCookie(
  reply: Reply,
  name: string,
  value: string,
  options: CookieSerializeOptions = {},
): void {
  const { request } = reply;
  const cookie: CookieSerializeOptions = {
    path: "/",
    httpOnly: true,
    sameSite: "lax",
    // The gateway terminates TLS, so only its header tells whether the browser uses HTTPS.
    secure: request.headers["x-forwarded-proto"] === "https",
    ...options,
  };
  if (value === "") reply.clearCookie(name, cookie);
  else reply.setCookie(name, value, cookie);
}
