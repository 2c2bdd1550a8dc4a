import { isIdempotencyKey, isUuid, type Reply } from "@store/kit";
import { markOutcomeUnknown, type Gateway } from "../../gateway/gateway.ts";
import { html } from "../../html/html.ts";
import { parseAmount } from "../../html/money.ts";
import type { Fields } from "../../http/forms.ts";
import { sendOfficePage } from "../layout.ts";
import { requireValidToken, staffHeaders } from "../session.ts";
import { refundForm, type RefundForm } from "./paymentPanel.ts";
import { sendOrder } from "./sendOrder.ts";

/** Refunds a part of a payment, as a submitted refund form says. */
export async function refund(
  gateway: Gateway,
  reply: Reply,
  order: string,
  fields: Fields,
): Promise<Reply> {
  const { payment = "", key = "", currency = "" } = fields;
  if (!isIdempotencyKey(key) || !isUuid(payment)) {
    reply.code(400);
    const error =
      "There was a problem with the refund form, so nothing was refunded. Please use the form below.";
    return sendOrder(gateway, reply, order, { error });
  }
  const sendAmountError = (status: number, text: string) => {
    reply.code(status);
    return sendOrder(gateway, reply, order, {
      fields,
      fieldErrors: new Map([[`amount-${payment}`, text]]),
    });
  };
  const amount = parseAmount(fields["amount"] ?? "", currency);
  if (amount === undefined || amount.amount === 0) {
    return sendAmountError(422, "Enter an amount greater than 0, such as 29.00.");
  }
  const reason = (fields["reason"] ?? "").trim();
  const request = {
    params: { path: { id: payment }, header: { "idempotency-key": key } },
    body: { amount, ...(reason === "" ? {} : { reason }) },
    headers: staffHeaders(reply.request),
  };
  try {
    const answer = await gateway.billing.POST("/api/billing/payments/{id}/refunds", request);
    requireValidToken(answer);
    if (answer.data !== undefined) {
      return await reply.redirect(`/office/orders/${order}?done=refunded`, 303);
    }
    const { type, detail } = answer.error;
    const text = type === KEY_REUSED ? OTHER_REFUND_MADE : detail;
    return await sendAmountError(answer.response.status, text);
  } catch (error) {
    markOutcomeUnknown(reply, error);
    const { amount, reason } = fields;
    return sendUnknownOutcome(reply, order, { payment, key, currency, amount, reason });
  }
}

const KEY_REUSED = "urn:store:problem:idempotency-key-reused";

const OTHER_REFUND_MADE =
  "Another refund, listed above, was made after you opened this page. To make this refund as well, press “Refund” again.";

/** Shows the same form again, without data from any service. Its key makes a second submission the same refund. */
function sendUnknownOutcome(reply: Reply, order: string, form: RefundForm): Reply {
  return sendOfficePage(reply, {
    title: "Error: Refund",
    current: "/office/orders",
    main: html`<h1>Refund</h1>
      <p class="banner bad" role="alert" tabindex="-1" autofocus>
        Billing didn’t respond, so we don’t know whether the refund was made. Please press “Refund”
        again in a moment: the amount won’t be refunded twice.
      </p>
      <div class="panel">${refundForm(order, form)}</div>
      <p class="fine"><a href="/office/orders/${order}">The order</a> lists all refunds.</p>`,
  });
}
