import { UpstreamError, type Reply, type Request } from "@store/kit";
import type { Gateway } from "../../gateway/gateway.ts";
import { sendPage, SHOP } from "../../html/layout.ts";
import { formatTotal } from "../../html/money.ts";
import { formatBasket, type Basket } from "../basket/basket.ts";
import { priceLines, totalOf, type PricedLine } from "../basket/pricedLines.ts";
import type { Checkout } from "./checkout.ts";
import { checkoutPage } from "./checkoutPage.ts";
import { readTotal, writeTotal, type Submission } from "./submission.ts";

type CheckoutState = Submission & Pick<Checkout, "lines" | "errors" | "notice" | "attempt">;

/** Sends the checkout's page with the payment methods that billing currently publishes. */
export async function sendCheckout(
  gateway: Gateway,
  reply: Reply,
  state: CheckoutState,
): Promise<Reply> {
  const { lines, fields } = state;
  const payment = await gateway.paymentMethods(reply.request);
  // While the catalogue is unavailable, the form keeps its total.
  const total = lines === undefined ? readTotal(fields["total"]) : totalOf(lines);
  return sendPage(reply, {
    title: `${state.notice === undefined ? "" : "Error: "}Checkout – ${SHOP}`,
    hidden: true,
    main: checkoutPage({
      ...state,
      payment,
      basket: formatBasket(state.basket),
      total: writeTotal(total),
      displayedTotal: formatTotal(total),
    }),
  });
}

/** @returns the priced basket; `undefined` while the catalogue is unavailable, so that other errors can still be shown. */
export async function priceLinesIfAvailable(
  gateway: Gateway,
  request: Request,
  basket: Basket,
): Promise<PricedLine[] | undefined> {
  try {
    return await priceLines(gateway, request, basket);
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    request.log.warn(error.message);
    return undefined;
  }
}
