import type { CookieSerializeOptions } from "@fastify/cookie";
import type { Reply, Request } from "@store/kit";
import { isHttps } from "./scheme.ts";

/** @returns the cookie's value; `undefined` if the request has no such cookie, or is too malformed to be parsed. */
export function readCookie(request: Request, name: string): string | undefined {
  const cookies = request.cookies as Record<string, string | undefined> | null;
  return cookies?.[cookieName(request, name)];
}

/** Sets a cookie that no script can read. An empty value removes it. */
export function writeCookie(
  reply: Reply,
  name: string,
  value: string,
  options: CookieSerializeOptions = {},
): void {
  const secure = isHttps(reply.request);
  const cookie: CookieSerializeOptions = {
    path: "/",
    httpOnly: true,
    sameSite: "lax",
    secure,
    ...options,
    // Browsers accept the prefix only for the whole site.
    ...(secure && { path: "/" }),
  };
  const fullName = cookieName(reply.request, name);
  if (value === "") reply.clearCookie(fullName, cookie);
  else reply.setCookie(fullName, value, cookie);
}

/** With the prefix, browsers refuse a cookie from another host of the same domain, and one that was set without HTTPS. */
function cookieName(request: Request, name: string): string {
  return isHttps(request) ? `__Host-${name}` : name;
}
