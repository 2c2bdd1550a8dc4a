import { forwardCorrelationHeaders, type Reply, type Request } from "@store/kit";
import {
  markOutcomeUnknown,
  type FieldProblem,
  type Gateway,
  type OrderRequest,
} from "../../gateway/gateway.ts";
import { formatTotal } from "../../html/money.ts";
import {
  readBasket,
  removeOrdered,
  setQuantity,
  writeBasket,
  type Basket,
} from "../basket/basket.ts";
import { priceLines, totalOf } from "../basket/pricedLines.ts";
import { readRecentOrders, rememberOrder } from "../orders/recentOrders.ts";
import { toFieldErrors } from "./checkoutErrors.ts";
import { priceLinesIfAvailable, sendCheckout } from "./sendCheckout.ts";
import { newSubmission, readAttempt, toOrderRequest, type Submission } from "./submission.ts";

/**
 * Places the order of a submitted form. An earlier submission of the form may have placed it already, so the order is sent before
 * anything is checked: the API returns an existing order whatever prices and stock are now, and creates a new one only at the total
 * that the form shows.
 */
export async function placeOrder(
  gateway: Gateway,
  reply: Reply,
  submission: Submission,
): Promise<Reply> {
  const { request } = reply;
  const { fields, basket, key } = submission;
  const order = toOrderRequest(fields, basket);
  if (order.total === undefined) return askToConfirmTotal(gateway, reply, submission);
  try {
    const { data, error, response } = await postOrder(gateway, request, key, order);
    if (data !== undefined) return await redirectToOrder(reply, data.id, basket);
    reply.code(response.status);
    if (response.status !== 422) return await sendInvalidForm(gateway, reply, submission, error);
    const earlier = await findEarlierOrder(gateway, request, submission);
    if (earlier !== undefined) return await redirectToOrder(reply, earlier, basket);
    return await sendRejectedOrder(gateway, reply, submission, error);
  } catch (error) {
    markOutcomeUnknown(reply, error);
    return sendCheckout(gateway, reply, {
      ...submission,
      attempt: JSON.stringify(order),
      notice: OUTCOME_UNKNOWN,
    });
  }
}

const OUTCOME_UNKNOWN =
  "Part of our shop isn’t responding, so we don’t know whether your order was placed. Your details are still here. " +
  "Please press “Place order” again in a moment: you won’t order or pay twice.";

/** Reduces the quantity of an unavailable item, or removes it, and keeps everything else in the form. */
export async function changeQuantity(
  gateway: Gateway,
  reply: Reply,
  submission: Submission,
  change: string,
): Promise<Reply> {
  const { request } = reply;
  const earlier = await findEarlierOrder(gateway, request, submission);
  if (earlier !== undefined) return redirectToOrder(reply, earlier, submission.basket);
  const [sku = "", quantity = "0"] = change.split("*");
  const changed = setQuantity(
    submission.basket,
    sku,
    Math.max(0, Number.parseInt(quantity, 10) || 0),
  );
  writeBasket(reply, changed);
  if (changed.length === 0) return reply.redirect("/basket", 303);
  const lines = await priceLines(gateway, request, changed);
  return sendCheckout(gateway, reply, { ...newSubmission(changed, submission.fields), lines });
}

/** The form has no valid total. It may have been submitted with one before, so it keeps its key. */
async function askToConfirmTotal(
  gateway: Gateway,
  reply: Reply,
  submission: Submission,
): Promise<Reply> {
  const lines = await priceLines(gateway, reply.request, submission.basket);
  const total = totalOf(lines);
  if (total.length === 0) return reply.redirect("/basket", 303);
  reply.code(400);
  const notice = `Please check the total of ${formatTotal(total)}, then press “Place order” again.`;
  return sendCheckout(gateway, reply, { ...submission, lines, notice });
}

function postOrder({ orders }: Gateway, request: Request, key: string, order: OrderRequest) {
  return orders.POST("/api/orders", {
    params: { header: { "idempotency-key": key } },
    body: order,
    headers: forwardCorrelationHeaders(request),
  });
}

/** Redirects to the order's page, which can be reloaded without ordering again. */
function redirectToOrder(reply: Reply, id: string, ordered: Basket): Reply {
  // If the order was placed earlier, its items have already been removed; the basket holds later additions.
  if (!readRecentOrders(reply.request).includes(id)) {
    writeBasket(reply, removeOrdered(readBasket(reply.request), ordered));
  }
  rememberOrder(reply, id);
  return reply.redirect(`/orders/${id}`, 303);
}

/**
 * Finds the order of a previous attempt whose response was lost, when the form has been changed since. The form contains that
 * attempt. Sending it again either returns the order, or has the API reject it permanently.
 */
async function findEarlierOrder(
  gateway: Gateway,
  request: Request,
  { fields, key }: Submission,
): Promise<string | undefined> {
  const attempt = readAttempt(fields["attempt"]);
  if (attempt === undefined) return undefined;
  const { data } = await postOrder(gateway, request, key, attempt);
  return data?.id;
}

/** Shows the errors in the same form. It keeps its key, which may belong to a valid previous attempt. */
async function sendInvalidForm(
  gateway: Gateway,
  reply: Reply,
  submission: Submission,
  { detail, errors: problems = [] }: OrderProblem,
): Promise<Reply> {
  const errors = toFieldErrors(problems);
  return sendCheckout(gateway, reply, {
    ...submission,
    lines: await priceLinesIfAvailable(gateway, reply.request, submission.basket),
    errors,
    notice: errors.size > 0 ? "Please correct the fields below." : detail,
  });
}

/** Explains why the order was rejected, in a form with a new key: the API rejects the old key permanently. */
async function sendRejectedOrder(
  gateway: Gateway,
  reply: Reply,
  { fields, basket }: Submission,
  { type, detail, errors: problems = [] }: OrderProblem,
): Promise<Reply> {
  const lines = await priceLinesIfAvailable(gateway, reply.request, basket);
  const form = { ...newSubmission(basket, fields), lines };
  switch (type) {
    case "urn:store:problem:idempotency-key-reused":
      return sendCheckout(gateway, reply, { ...form, notice: ALREADY_SUBMITTED });
    case "urn:store:problem:total-differs": {
      const newTotal =
        lines === undefined ? "" : ` The new total is ${formatTotal(totalOf(lines))}.`;
      const notice = `Prices have changed since you opened this page.${newTotal} Your order has not been placed yet.`;
      return sendCheckout(gateway, reply, { ...form, notice });
    }
    case "urn:store:problem:items":
      return sendCheckout(gateway, reply, {
        ...form,
        errors: toFieldErrors(problems),
        notice: "Some items are no longer available. Your order has not been placed yet.",
      });
    default:
      return sendCheckout(gateway, reply, { ...form, notice: detail });
  }
}

/** The API's problem document about an order request. */
interface OrderProblem {
  readonly type: string;
  readonly detail: string;
  readonly errors?: readonly FieldProblem[];
}

const ALREADY_SUBMITTED =
  "You have already submitted this form with other details. Your order is listed under “Orders”; if it isn’t, go back and submit " +
  "the form without changes to see it. To place a second order with the details below, press “Place order” again.";
