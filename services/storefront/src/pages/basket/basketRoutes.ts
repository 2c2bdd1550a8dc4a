import { Sku, Type, type App } from "@store/kit";
import type { Gateway } from "../../gateway/gateway.ts";
import { sendPage, SHOP } from "../../html/layout.ts";
import { addToBasket, readBasket, setQuantity, writeBasket } from "./basket.ts";
import { basketPage, emptyBasketPage } from "./basketPage.ts";
import { priceLines } from "./pricedLines.ts";

const Quantity = Type.String({ pattern: "^\\d{1,9}$" });

/**
 * Adds the basket's page and the forms that change the basket.
 *
 * @param maxItems Maximum number of items of an order, over all products.
 */
export function addBasketPages(app: App, gateway: Gateway, maxItems: number): void {
  app.get(
    "/basket",
    {
      schema: {
        hide: true,
        querystring: Type.Object({
          added: Type.Optional(Sku),
          full: Type.Optional(Type.Boolean()),
        }),
        response: { 200: Type.String() },
      },
    },
    async (request, reply) => {
      const lines = await priceLines(gateway, request, readBasket(request));
      return sendPage(reply, {
        title: `Your basket – ${SHOP}`,
        current: "/basket",
        hidden: true,
        main:
          lines.length === 0 ? emptyBasketPage : basketPage(lines, { ...request.query, maxItems }),
      });
    },
  );

  app.post(
    "/basket/add",
    { schema: { hide: true, body: Type.Object({ sku: Sku, quantity: Quantity }) } },
    async (request, reply) => {
      const { sku, quantity } = request.body;
      const basket = addToBasket(readBasket(request), sku, Math.max(1, Number(quantity)));
      if (basket === undefined) return reply.redirect("/basket?full=true", 303);
      writeBasket(reply, basket);
      return reply.redirect(`/basket?added=${sku}`, 303);
    },
  );

  app.post(
    "/basket/change",
    { schema: { hide: true, body: Type.Object({ sku: Sku, quantity: Quantity }) } },
    async (request, reply) => {
      const { sku, quantity } = request.body;
      writeBasket(reply, setQuantity(readBasket(request), sku, Number(quantity)));
      return reply.redirect("/basket", 303);
    },
  );
}
