import { isIdempotencyKey, type App } from "@store/kit";
import type { Gateway } from "../../gateway/gateway.ts";
import { Fields } from "../../http/forms.ts";
import { parseBasket, readBasket } from "../basket/basket.ts";
import { priceLines, reducedQuantity } from "../basket/pricedLines.ts";
import { TRY_AGAIN } from "./checkout.ts";
import { changeQuantity, placeOrder } from "./placeOrder.ts";
import { priceLinesIfAvailable, sendCheckout } from "./sendCheckout.ts";
import { newSubmission, type Submission } from "./submission.ts";

/**
 * Adds the checkout's page and form. The form contains everything that makes up the order: the basket as it was shown, its total,
 * and an idempotency key. So it creates one order, even if it is submitted several times (double click, reload, history).
 */
export function addCheckoutPages(app: App, gateway: Gateway): void {
  app.get("/checkout", { schema: { hide: true } }, async (request, reply) => {
    const lines = await priceLines(gateway, request, readBasket(request));
    if (lines.length === 0 || lines.some((line) => reducedQuantity(line) !== undefined)) {
      return reply.redirect("/basket", 303);
    }
    return sendCheckout(gateway, reply, { ...newSubmission(lines, {}), lines });
  });

  app.post("/checkout", { schema: { hide: true, body: Fields } }, async (request, reply) => {
    const fields: Fields = request.body;
    const basket = parseBasket(fields["basket"] ?? "");
    const key = fields["key"];
    if (basket.length === 0 || key === undefined) return reply.redirect("/basket", 303);
    if (!isIdempotencyKey(key)) {
      reply.code(400);
      return sendCheckout(gateway, reply, {
        ...newSubmission(basket, fields),
        lines: await priceLines(gateway, request, basket),
        notice:
          "There was a problem with this form, so your order was not placed. Please check your details and try again.",
      });
    }
    const submission: Submission = { fields, basket, key };
    if (fields[TRY_AGAIN] !== undefined) {
      const lines = await priceLinesIfAvailable(gateway, request, basket);
      return sendCheckout(gateway, reply, { ...submission, lines });
    }
    return fields["adjust"] === undefined
      ? placeOrder(gateway, reply, submission)
      : changeQuantity(gateway, reply, submission, fields["adjust"]);
  });
}
