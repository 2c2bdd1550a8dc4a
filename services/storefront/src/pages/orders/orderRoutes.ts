import { problem, Type, Uuid, type App, type Request } from "@store/kit";
import { findOrder, type Gateway, type Order } from "../../gateway/gateway.ts";
import { sendPage, SHOP } from "../../html/layout.ts";
import { orderScript } from "../../http/assets.ts";
import { addToBasket, readBasket, writeBasket, type Basket } from "../basket/basket.ts";
import { customersView } from "./customersView.ts";
import { noOrdersPage, orderListPage } from "./orderListPage.ts";
import { orderPage } from "./orderPage.ts";
import { readRecentOrders } from "./recentOrders.ts";
import { isFinal, statusMessage } from "./statusText.ts";

const params = Type.Object({ id: Uuid });

/** Adds each order's page and the list of recent orders. */
export function addOrderPages(app: App, gateway: Gateway): void {
  app.get(
    "/orders/:id",
    { schema: { hide: true, params, response: { 200: Type.String() } } },
    async (request, reply) => {
      const order = await requireOrder(gateway, request, request.params.id);
      // Anyone with the page's address can see personal data, so no cache may store the page.
      reply.header("cache-control", "private, no-store");
      return sendPage(reply, {
        title: `${statusMessage(order).heading} – ${SHOP}`,
        hidden: true,
        scripts: [orderScript],
        policy: { "script-src": "'self'", "connect-src": "'self'" },
        refreshSeconds: refreshSeconds(order),
        main: orderPage(order),
      });
    },
  );

  // A customer whose card was declined can order the same items again.
  app.post("/orders/:id/again", { schema: { hide: true, params } }, async (request, reply) => {
    const order = await requireOrder(gateway, request, request.params.id);
    writeBasket(reply, addMissingItems(readBasket(request), order.items));
    return reply.redirect("/basket", 303);
  });

  app.get("/orders", { schema: { hide: true } }, async (request, reply) => {
    const found = await Promise.all(
      readRecentOrders(request).map((id) => findOrder(gateway, request, id)),
    );
    const orders = found.filter((order) => order !== undefined).map(customersView);
    return sendPage(reply, {
      title: `Your orders – ${SHOP}`,
      current: "/orders",
      hidden: true,
      main: orders.length === 0 ? noOrdersPage : orderListPage(orders),
    });
  });
}

async function requireOrder(gateway: Gateway, request: Request, id: string): Promise<Order> {
  const order = await findOrder(gateway, request, id);
  if (order === undefined) throw problem(404, "There is no such order.");
  return customersView(order);
}

/** Adds an order's items to the basket, except products that are already in it. */
function addMissingItems(basket: Basket, items: Order["items"]): Basket {
  return items.reduce(
    (result, { sku, quantity }) =>
      result.some((line) => line.sku === sku)
        ? result
        : (addToBasket(result, sku, quantity) ?? result),
    basket,
  );
}

/** A pending order changes within seconds; later, staff and carriers change it. */
function refreshSeconds({ status }: Order): number | undefined {
  if (isFinal(status)) return undefined;
  return status === "pending" ? 3 : 30;
}
