import { randomUUID } from "node:crypto";
import { passOn, UpstreamError, type App, type Reply, type Request } from "@store/kit";
import {
  formatBasket,
  parseBasket,
  readBasket,
  withQuantity,
  without,
  writeBasket,
  type Basket,
} from "./basket.ts";
import { onlyLeft, priceLines, totalOf, type PricedLine } from "./basketLines.ts";
import { complaintsOf, toOrderRequest } from "./checkoutForm.ts";
import { checkoutPage, type Checkout } from "./checkoutPage.ts";
import type { Complaints } from "./complaints.ts";
import { Fields } from "./forms.ts";
import type { Gateway, OrderRequest } from "./gateway.ts";
import { sendPage, SHOP } from "./layout.ts";
import { formatMoney } from "./money.ts";
import { readRecentOrders, rememberOrder } from "./recentOrders.ts";

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
    return sendCheckout(reply, newForm(lines, {}));
  });

  app.post("/checkout", { schema: { hide: true, body: Fields } }, async (request, reply) => {
    const fields: Fields = request.body;
    const basket = parseBasket(fields["basket"] ?? "");
    if (basket.length === 0 || fields["key"] === undefined) return reply.redirect("/basket", 303);
    if (fields["adjust"] !== undefined) {
      return adjust(gateway, reply, { fields, basket, change: fields["adjust"] });
    }
    return placeOrder(gateway, reply, { fields, basket, key: fields["key"] });
  });
}

interface Sent {
  readonly fields: Fields;
  readonly basket: Basket;
}

async function placeOrder(
  gateway: Gateway,
  reply: Reply,
  { fields, basket, key }: Sent & { readonly key: string },
): Promise<Reply> {
  const { request } = reply;
  const form = { fields, key, basket };
  const order = toOrderRequest(fields, basket);
  try {
    const lines = await priceLines(gateway, request, basket);
    const total = formatTotal(lines);
    if (total !== fields["total"]) {
      reply.code(409);
      return await sendCheckout(reply, {
        ...form,
        lines,
        notice: `Our prices have changed since you saw them: it is ${total} now. Nothing is ordered yet.`,
      });
    }
    const { data, error, response } = await send(gateway, request, key, order);
    if (data !== undefined) return await thank(reply, data.id, basket);
    if (error.type === KEY_REUSED) return await alreadyPlaced(gateway, reply, { ...form, lines });
    reply.code(response.status);
    const complaints = complaintsOf(error.errors ?? []);
    return await sendCheckout(reply, {
      ...form,
      lines,
      complaints,
      notice: noticeOf(error.detail, complaints),
    });
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    request.log.warn(error.message);
    reply.code(503).header("retry-after", "2");
    return sendCheckout(reply, { ...form, attempt: JSON.stringify(order), notice: UNKNOWN });
  }
}

const KEY_REUSED = "urn:store:problem:idempotency-key-reused";

const UNKNOWN =
  "We couldn’t get hold of everything that an order needs, so we don’t know whether yours has reached us. " +
  "What you entered is still here. Please press “Place order” again in a moment: it will be one order, and paid once.";

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

interface FormState extends Sent {
  readonly key: string;
  readonly lines: readonly PricedLine[];
}

/**
 * The form had been sent before, with something else in it, and was taken then. When nobody knew so at the time, the form has
 * what was tried: asked for once more, it says which order that was.
 */
async function alreadyPlaced(gateway: Gateway, reply: Reply, form: FormState): Promise<Reply> {
  const attempt = form.fields["attempt"];
  if (attempt !== undefined) {
    const { data } = await send(gateway, reply.request, form.key, readAttempt(attempt));
    if (data !== undefined) return thank(reply, data.id, form.basket);
  }
  reply.code(409);
  return sendCheckout(reply, {
    ...form,
    key: randomUUID(),
    notice:
      "This form was sent before, and that order is with us, as it was then: you find it under “Orders”. " +
      "To order once more what you see here, press “Place order” again.",
  });
}

function readAttempt(text: string): OrderRequest {
  try {
    return JSON.parse(text) as OrderRequest;
  } catch {
    // Not what we put there: the API will say what it lacks.
    return {} as OrderRequest;
  }
}

/** Takes fewer of something that there isn't enough of, and keeps all that was entered. */
async function adjust(
  gateway: Gateway,
  reply: Reply,
  { fields, basket, change }: Sent & { readonly change: string },
): Promise<Reply> {
  const [sku = "", quantity = "0"] = change.split("*");
  const rest = withQuantity(basket, sku, Math.max(0, Number.parseInt(quantity, 10) || 0));
  writeBasket(reply, rest);
  if (rest.length === 0) return reply.redirect("/basket", 303);
  return sendCheckout(reply, newForm(await priceLines(gateway, reply.request, rest), fields));
}

function newForm(lines: readonly PricedLine[], fields: Fields): FormState {
  return { lines, fields, basket: lines, key: randomUUID() };
}

function noticeOf(detail: string, complaints: Complaints): string {
  if ([...complaints.keys()].some((field) => field.startsWith("item-"))) {
    return "Something was sold in the meantime, so nothing is ordered yet.";
  }
  return complaints.size > 0 ? "Something is missing or not quite right." : detail;
}

function formatTotal(lines: readonly PricedLine[]): string {
  return totalOf(lines).map(formatMoney).join(" + ");
}

function sendCheckout(
  reply: Reply,
  state: Omit<Checkout, "total" | "basket"> & { readonly basket: Basket },
): Reply {
  const { lines, fields } = state;
  return sendPage(reply, {
    title: `${state.notice === undefined ? "" : "Please look again: "}Checkout – ${SHOP}`,
    hidden: true,
    main: checkoutPage({
      ...state,
      basket: formatBasket(state.basket),
      // While nobody knows the prices, the form keeps those that it was made with.
      total: lines === undefined ? (fields["total"] ?? "") : formatTotal(lines),
    }),
  });
}
