import type { App } from "@store/kit";
import type { Gateway } from "../gateway/gateway.ts";
import { addLogin } from "./login.ts";
import { addOrder } from "./orders/order.ts";
import { addOrderList } from "./orders/orderList.ts";
import { addParcels } from "./parcels/parcels.ts";
import { addStock } from "./stock/stock.ts";

/** The pages for the store's own people, behind their token. */
export function addOffice(app: App, gateway: Gateway): void {
  app.get("/office", { schema: { hide: true } }, async (_request, reply) =>
    reply.redirect("/office/orders", 303),
  );
  addLogin(app, gateway);
  addOrderList(app, gateway);
  addOrder(app, gateway);
  addParcels(app, gateway);
  addStock(app, gateway);
}
