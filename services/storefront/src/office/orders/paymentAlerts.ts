import type { operations } from "@store/contracts/public/orders";
import { html, type Html } from "../../html/html.ts";
import { formatMoney } from "../../html/money.ts";
import { formatTime } from "../../html/time.ts";

type OrderPage = operations["listOrders"]["responses"][200]["content"]["application/json"];
export type PaymentAlert = NonNullable<OrderPage["items"][number]["alerts"]>[number];

const headings: Record<PaymentAlert["kind"], string> = {
  dispute_opened: "Dispute opened",
  dispute_lost: "Dispute lost",
  refund_failed: "Refund failed",
};

/** Returns whether an order needs attention because of its payment, so that no step of it can be retried. */
export function isPaymentReason(reason: string | undefined): boolean {
  return reason !== undefined && Object.hasOwn(headings, reason);
}

/** Says what has happened to a payment, and what staff must do. */
export function alertText({ kind, amount, reason, respondBy }: PaymentAlert): Html {
  return html`<p class="fine">
    ${headings[kind]}${amount && html`: ${formatMoney(amount)}`}${reason && html` (${reason})`}.
    ${kind === "dispute_opened" ? answerText(respondBy) : instruction(kind, reason)}
  </p>`;
}

function instruction(
  kind: Exclude<PaymentAlert["kind"], "dispute_opened">,
  reason: string | undefined,
): string {
  if (kind === "dispute_lost") return "The customer has the money back.";
  return (
    refundInstructions.get(reason) ??
    "The store still has the money: refund it again, or pay the customer otherwise."
  );
}

const duringDispute = "The dispute decides who gets the money.";

/** Instructions after failed refunds that aren't simply made again, by the reason. */
const refundInstructions: ReadonlyMap<string | undefined, string> = new Map([
  [
    "charge_already_refunded",
    "The payment provider has refunded it already: check its dashboard, and don’t pay again.",
  ],
  ["charge_disputed", duringDispute],
  ["refund_disputed_payment", duringDispute],
  [
    "dispute_won",
    "The store has won the dispute, and has the money: refund it, unless the customer was paid meanwhile.",
  ],
]);

/** Says until when the payment provider accepts an answer to a dispute. */
export function answerText(respondBy: string | undefined): Html {
  return respondBy === undefined
    ? html`The bank decides; no answer is expected.`
    : html`Answer it in the payment provider’s dashboard before ${formatTime(respondBy)}.`;
}

/** Says on the page of an order that it needs attention because of its payment, with all its alerts. */
export function attentionNote(
  reason: string | undefined,
  alerts: readonly PaymentAlert[],
): Html | undefined {
  if (!isPaymentReason(reason)) return undefined;
  return html`<div class="banner bad">
    <p>
      ${headings[reason as PaymentAlert["kind"]]}. The payment below has the details. Mark the order
      as handled when you have dealt with it.
    </p>
    ${alerts.map(alertText)}
  </div>`;
}
