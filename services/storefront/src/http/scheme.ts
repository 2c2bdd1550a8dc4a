import type { Request } from "@store/kit";

/** The gateway terminates TLS, so only its header tells the scheme of the browser's request. It removes a browser's own header. */
const SCHEME = "x-forwarded-proto";

/** Names of the browser's own machine, to which nothing is sent through a network: a local store, or a tunnel. */
const LOOPBACK = /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/i;

export function isHttps({ headers }: Request): boolean {
  return headers[SCHEME] === "https";
}

/** Returns true for a request that passed through a network without encryption. Without a gateway, the store runs on this machine. */
export function isReadableOnTheWay({ headers }: Request): boolean {
  return headers[SCHEME] === "http" && !LOOPBACK.test(headers.host ?? "");
}
