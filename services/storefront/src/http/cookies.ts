import type { CookieSerializeOptions } from "@fastify/cookie";
import type { Reply, Request } from "@store/kit";

/** @returns what the browser sent; `undefined` also for a request so broken that nobody looked for cookies in it. */
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
    // Where TLS ends before us, the browser keeps it from ever going out without.
    secure: request.headers["x-forwarded-proto"] === "https",
    ...options,
  };
  if (value === "") reply.clearCookie(name, cookie);
  else reply.setCookie(name, value, cookie);
}
