import type { App } from "@store/kit";
import type { Gateway } from "../gateway/gateway.ts";
import { addLogin } from "./login.ts";
import { addOrderList } from "./orders/orderList.ts";
import { addOrder } from "./orders/orderRoutes.ts";
import { addParcels } from "./parcels/parcels.ts";
import { readSessions } from "./session.ts";
import { addStock } from "./stock/stockRoutes.ts";

/** Adds the back office: pages for staff, who log in with a staff token. */
export function addOffice(app: App, gateway: Gateway): void {
  readSessions(app, gateway);
  app.get("/office", { schema: { hide: true } }, async (_request, reply) =>
    reply.redirect("/office/orders", 303),
  );
  addLogin(app, gateway);
  addOrderList(app, gateway);
  addOrder(app, gateway);
  addParcels(app, gateway);
  addStock(app, gateway);
}
