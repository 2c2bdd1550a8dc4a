import { isUuid, type Reply, type Request } from "@store/kit";
import { readCookie, writeCookie } from "../../http/cookies.ts";

const COOKIE = "orders";
const MOST = 12;
const KEPT_SECONDS = 180 * 24 * 3600;

/** Ids of the orders that were placed from this browser, the newest first: whoever has lost an order's address finds it here. */
export function readRecentOrders(request: Request): readonly string[] {
  const ids = (readCookie(request, COOKIE) ?? "").split("~").filter(isUuid);
  return [...new Set(ids)].slice(0, MOST);
}

export function rememberOrder(reply: Reply, id: string): void {
  const others = readRecentOrders(reply.request).filter((other) => other !== id);
  writeCookie(reply, COOKIE, [id, ...others].slice(0, MOST).join("~"), { maxAge: KEPT_SECONDS });
}
