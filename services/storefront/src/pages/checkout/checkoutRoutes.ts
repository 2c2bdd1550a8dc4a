import { randomUUID } from "node:crypto";
import {
  isIdempotencyKey,
  passOn,
  UpstreamError,
  type App,
  type Reply,
  type Request,
} from "@store/kit";
import {
  formatBasket,
  parseBasket,
  readBasket,
  withQuantity,
  without,
  writeBasket,
  type Basket,
} from "../basket/basket.ts";
import { onlyLeft, priceLines, totalOf, type PricedLine } from "../basket/pricedLines.ts";
import { complaintsOf, readTotal, toOrderRequest, writeTotal } from "./checkoutForm.ts";
import { checkoutPage, LOOK_AGAIN, type Checkout } from "./checkoutPage.ts";
import { Fields } from "../../http/forms.ts";
import { markUnknown, type FieldProblem, type Gateway, type OrderRequest } from "../../gateway/gateway.ts";
import { sendPage, SHOP } from "../../html/layout.ts";
import { formatMoney, type Money } from "../../html/money.ts";
import { readRecentOrders, rememberOrder } from "../orders/recentOrders.ts";

/**
 * Checkout. The form carries all that the order is made of: the basket as it was shown, with its total, and the idempotency
 * key, which was made with the form. However often it is sent (a double click, a reload, from the history), it is one order.
 */
export function addCheckoutPages(app: App, gateway: Gateway): void {
  app.get("/checkout", { schema: { hide: true } }, async (request, reply) => {
    const basket = readBasket(request);
    const lines = await priceLines(gateway, request, basket);
    if (lines.length === 0 || lines.some((line) => onlyLeft(line) !== undefined)) {
      return reply.redirect("/basket", 303);
    }
    return sendCheckout(gateway, reply, { ...newForm(lines, {}), lines });
  });

  app.post("/checkout", { schema: { hide: true, body: Fields } }, async (request, reply) => {
    const fields: Fields = request.body;
    const basket = parseBasket(fields["basket"] ?? "");
    const key = fields["key"];
    if (basket.length === 0 || key === undefined) return reply.redirect("/basket", 303);
    if (!isIdempotencyKey(key)) {
      reply.code(400);
      return sendCheckout(gateway, reply, {
        ...newForm(basket, fields),
        lines: await priceLines(gateway, request, basket),
        notice:
          "This form didn’t reach us as we had made it, so nothing was ordered with it. Please look it over once more.",
      });
    }
    const sent = { fields, basket, key };
    if (fields[LOOK_AGAIN] !== undefined) {
      const lines = await pricedIfPossible(gateway, request, basket);
      return sendCheckout(gateway, reply, { ...sent, lines });
    }
    return fields["adjust"] === undefined
      ? placeOrder(gateway, reply, sent)
      : adjust(gateway, reply, sent, fields["adjust"]);
  });
}

/** What a form carries. */
interface Sent {
  readonly fields: Fields;
  readonly basket: Basket;
  readonly key: string;
}

/**
 * The order may have been taken when the form was sent before, and nobody here knows. So nothing is looked at before it is
 * asked for: who has the order gets it, whatever prices and stock have become since, and who hasn't gets it only for the total
 * that the form shows.
 */
async function placeOrder(gateway: Gateway, reply: Reply, sent: Sent): Promise<Reply> {
  const { request } = reply;
  const { fields, basket, key } = sent;
  const order = toOrderRequest(fields, basket);
  if (order.total === undefined) return askForTotal(gateway, reply, sent);
  try {
    const { data, error, response } = await send(gateway, request, key, order);
    if (data !== undefined) return await thank(reply, data.id, basket);
    reply.code(response.status);
    if (response.status !== 422) return await sendComplaints(gateway, reply, sent, error);
    const earlier = await placedBefore(gateway, request, sent);
    if (earlier !== undefined) return await thank(reply, earlier, basket);
    return await sendRefusal(gateway, reply, sent, error);
  } catch (error) {
    markUnknown(reply, error);
    return sendCheckout(gateway, reply, {
      ...sent,
      attempt: JSON.stringify(order),
      notice: UNKNOWN,
    });
  }
}

const UNKNOWN =
  "We couldn’t get hold of everything that an order needs, so we don’t know whether yours has reached us. " +
  "What you entered is still here. Please press “Place order” again in a moment: it will be one order, and paid once.";

/** The form doesn't say what the customer was shown. It may have been sent before as one that did, so it keeps its key. */
async function askForTotal(gateway: Gateway, reply: Reply, sent: Sent): Promise<Reply> {
  const lines = await priceLines(gateway, reply.request, sent.basket);
  const total = totalOf(lines);
  if (total.length === 0) return reply.redirect("/basket", 303);
  reply.code(400);
  const notice = `Please look at what it comes to, ${shown(total)}, and press “Place order” once more.`;
  return sendCheckout(gateway, reply, { ...sent, lines, notice });
}

function send({ orders }: Gateway, request: Request, key: string, order: OrderRequest) {
  return orders.POST("/api/orders", {
    params: { header: { "idempotency-key": key } },
    body: order,
    headers: passOn(request),
  });
}

/** To the order's own page, which can be loaded again without ordering again. */
function thank(reply: Reply, id: string, ordered: Basket): Reply {
  // Sent a second time, it must not take out what was put into the basket since.
  if (!readRecentOrders(reply.request).includes(id)) {
    writeBasket(reply, without(readBasket(reply.request), ordered));
  }
  rememberOrder(reply, id);
  return reply.redirect(`/orders/${id}`, 303);
}

/**
 * The order that the form was for when it was sent before with something else in it, and its answer was lost: the form has what
 * was tried. Asked for once more, it is either the order's, or refused for good.
 */
async function placedBefore(
  gateway: Gateway,
  request: Request,
  { fields, key }: Sent,
): Promise<string | undefined> {
  const attempt = readAttempt(fields["attempt"]);
  if (attempt === undefined) return undefined;
  const { data } = await send(gateway, request, key, attempt);
  return data?.id;
}

/** One that we wrote: it has the total that the customer was shown, and so can't become an order for another. */
function readAttempt(text = ""): OrderRequest | undefined {
  try {
    const attempt = JSON.parse(text) as Partial<OrderRequest> | null;
    return attempt?.total === undefined ? undefined : (attempt as OrderRequest);
  } catch {
    return undefined;
  }
}

/** Says what isn't right, in the same form: its key may be that of an attempt before, which was. */
async function sendComplaints(
  gateway: Gateway,
  reply: Reply,
  sent: Sent,
  { detail, errors = [] }: Refusal,
): Promise<Reply> {
  const complaints = complaintsOf(errors);
  return sendCheckout(gateway, reply, {
    ...sent,
    lines: await pricedIfPossible(gateway, reply.request, sent.basket),
    complaints,
    notice: complaints.size > 0 ? "Something is missing or not quite right." : detail,
  });
}

/** Says why there is no order, in a form with another key: what was refused under the old one is refused for good. */
async function sendRefusal(
  gateway: Gateway,
  reply: Reply,
  { fields, basket }: Sent,
  { type, detail, errors = [] }: Refusal,
): Promise<Reply> {
  const lines = await pricedIfPossible(gateway, reply.request, basket);
  const form = { ...newForm(basket, fields), lines };
  switch (type) {
    case "urn:store:problem:idempotency-key-reused":
      return sendCheckout(gateway, reply, { ...form, notice: SENT_BEFORE });
    case "urn:store:problem:total-differs": {
      const now = lines === undefined ? "" : `: it is ${shown(totalOf(lines))} now`;
      const notice = `Our prices have changed since you saw them${now}. Nothing is ordered yet.`;
      return sendCheckout(gateway, reply, { ...form, notice });
    }
    case "urn:store:problem:items":
      return sendCheckout(gateway, reply, {
        ...form,
        complaints: complaintsOf(errors),
        notice: "Something was sold in the meantime, so nothing is ordered yet.",
      });
    default:
      return sendCheckout(gateway, reply, { ...form, notice: detail });
  }
}

interface Refusal {
  readonly type: string;
  readonly detail: string;
  readonly errors?: readonly FieldProblem[];
}

const SENT_BEFORE =
  "This form was sent before, and that order is with us, as it was then: look under “Orders”. If you don’t find it there, " +
  "go back and send the form as it was, and you get to it. To order once more what you see here, press “Place order” again.";

/** Takes fewer of something that there isn't enough of, and keeps all that was entered. */
async function adjust(gateway: Gateway, reply: Reply, sent: Sent, change: string): Promise<Reply> {
  const { request } = reply;
  const earlier = await placedBefore(gateway, request, sent);
  if (earlier !== undefined) return thank(reply, earlier, sent.basket);
  const [sku = "", quantity = "0"] = change.split("*");
  const rest = withQuantity(sent.basket, sku, Math.max(0, Number.parseInt(quantity, 10) || 0));
  writeBasket(reply, rest);
  if (rest.length === 0) return reply.redirect("/basket", 303);
  const lines = await priceLines(gateway, request, rest);
  return sendCheckout(gateway, reply, { ...newForm(rest, sent.fields), lines });
}

/** What a page shows of the catalogue; `undefined` while that is away. What else is to be said doesn't wait for it. */
async function pricedIfPossible(
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

/** A form that was never sent. */
function newForm(basket: Basket, fields: Fields): Sent {
  return { fields: { ...fields, attempt: undefined }, basket, key: randomUUID() };
}

async function sendCheckout(
  gateway: Gateway,
  reply: Reply,
  state: Omit<Checkout, "total" | "toPay" | "basket" | "payment"> & { readonly basket: Basket },
): Promise<Reply> {
  const { lines, fields } = state;
  const payment = await gateway.paymentMethods(reply.request);
  // While nobody knows the prices, the form keeps those that it was made with.
  const total = lines === undefined ? readTotal(fields["total"]) : totalOf(lines);
  return sendPage(reply, {
    title: `${state.notice === undefined ? "" : "Please look again: "}Checkout – ${SHOP}`,
    hidden: true,
    main: checkoutPage({
      ...state,
      payment,
      basket: formatBasket(state.basket),
      total: writeTotal(total),
      toPay: shown(total),
    }),
  });
}

function shown(total: readonly Money[]): string {
  return total.map(formatMoney).join(" + ");
}
