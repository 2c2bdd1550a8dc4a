import type { operations } from "@store/contracts/public/billing";
import { errorAttributes, errorText, type FieldErrors } from "../../html/fieldErrors.ts";
import { html, type Html } from "../../html/html.ts";
import { formatAmount, formatMoney } from "../../html/money.ts";
import { formatTime } from "../../html/time.ts";
import type { Fields } from "../../http/forms.ts";
import { answerText } from "./paymentAlerts.ts";

export type Payment = operations["getPayment"]["responses"][200]["content"]["application/json"];

interface SubmittedRefund {
  readonly fields?: Fields;
  readonly fieldErrors?: FieldErrors;
}

/** A payment with its refunds, and a form for the next refund. */
export function paymentPanel(
  order: string,
  payment: Payment,
  { fields, fieldErrors }: SubmittedRefund,
): Html {
  const { id, status, reason, amount, refunded, refunds, disputes = [], createdAt } = payment;
  const refundable = { ...amount, amount: amount.amount - refunded.amount };
  // Keep the entered values if the form of this payment was submitted and rejected.
  const submitted = fields?.["payment"] === id ? fields : undefined;
  const form: RefundForm = {
    payment: id,
    // The key counts refunds, so that concurrent submissions of the same refund, even from several pages, are made only once.
    key: `office-${refunds.length + 1}`,
    currency: refundable.currency,
    amount: submitted?.["amount"] ?? formatAmount(refundable),
    reason: submitted?.["reason"],
    errors: fieldErrors,
  };
  return html`<div class="panel">
    <p>
      <strong>${formatMoney(amount)}</strong> <span class="status ${status}">${status}</span>
      ${reason && html`<span class="fine">${reason}</span>`}
      <span class="fine">${formatTime(createdAt)}</span>
    </p>
    ${
      refunds.length + disputes.length === 0
        ? undefined
        : html`<ul>
            ${refunds.map(refundLine)} ${disputes.map(disputeLine)}
          </ul>`
    }
    ${status === "captured" && refundable.amount > 0 ? refundForm(order, form) : undefined}
  </div>`;
}

function refundLine({
  amount,
  status,
  reason,
  failure,
  createdAt,
  requestedBy,
}: Payment["refunds"][number]): Html {
  const statusText = {
    pending: "refund pending",
    succeeded: "refunded",
    failed: "refund failed",
  };
  return html`<li>
    ${formatMoney(amount)} ${statusText[status]}${failure && html`: ${failure}`}
    ${reason && html`(${reason})`} ${requestedBy && html`by ${requestedBy}`}
    <span class="fine">${formatTime(createdAt)}</span>
  </li>`;
}

function disputeLine(dispute: NonNullable<Payment["disputes"]>[number]): Html {
  const { status, amount, reason, respondBy } = dispute;
  const statusText = {
    open: html`open. ${answerText(respondBy)}`,
    won: "won: the store keeps the money.",
    lost: "lost: the customer has the money back.",
  };
  return html`<li>Dispute about ${formatMoney(amount)} (${reason}) ${statusText[status]}</li>`;
}

export interface RefundForm {
  /** Id of the payment. */
  readonly payment: string;
  /** Idempotency key of the refund. */
  readonly key: string;
  readonly currency: string;
  /** The amount as it was entered. */
  readonly amount: string | undefined;
  readonly reason: string | undefined;
  readonly errors?: FieldErrors | undefined;
}

export function refundForm(order: string, form: RefundForm): Html {
  const { payment, key, currency, amount, reason, errors = new Map() } = form;
  const amountId = `amount-${payment}`;
  return html`<form class="form-row" method="post" action="/office/orders/${order}/refunds">
    <input type="hidden" name="payment" value="${payment}" />
    <input type="hidden" name="currency" value="${currency}" />
    <input type="hidden" name="key" value="${key}" />
    <div class="field">
      <label for="${amountId}">Refund amount (${currency})</label>
      <input
        id="${amountId}"
        name="amount"
        inputmode="decimal"
        value="${amount}"
        required
        ${errorAttributes(amountId, errors)}
      />
    </div>
    <div class="field">
      <label for="reason-${payment}">Reason</label>
      <input id="reason-${payment}" name="reason" maxlength="200" value="${reason}" />
    </div>
    <button class="button small quiet">Refund</button>
    ${errorText(amountId, errors)}
    <p class="fine">
      Refunding everything cancels an order whose parcel isn’t shipped yet: the parcel is stopped,
      and the items are put back into the stock.
    </p>
  </form>`;
}
