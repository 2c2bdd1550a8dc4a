import { isUuid, type Reply, type Request } from "@store/kit";
import { readCookie, writeCookie } from "../../http/cookies.ts";

const COOKIE = "orders";
const MAX_ORDERS = 12;
const MAX_AGE_SECONDS = 180 * 24 * 3600;

/** @returns the ids of the latest orders that were placed from this browser, newest first. At most 12. */
export function readRecentOrders(request: Request): readonly string[] {
  const ids = (readCookie(request, COOKIE) ?? "").split("~").filter(isUuid);
  return [...new Set(ids)].slice(0, MAX_ORDERS);
}

export function rememberOrder(reply: Reply, id: string): void {
  const others = readRecentOrders(reply.request).filter((other) => other !== id);
  const ids = [id, ...others].slice(0, MAX_ORDERS);
  writeCookie(reply, COOKIE, ids.join("~"), { maxAge: MAX_AGE_SECONDS });
}
