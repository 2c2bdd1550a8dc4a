import type { App } from "@store/kit";
import type { Gateway } from "../gateway.ts";
import { addLogin } from "./login.ts";
import { addOrder } from "./order.ts";
import { addOrderList } from "./orders.ts";
import { addParcels } from "./parcels.ts";
import { addStock } from "./stock.ts";

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
