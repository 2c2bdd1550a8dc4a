import type Stripe from "stripe";
import type { DisputeStatus, ProviderReport, ReportedEvent } from "../provider.ts";
import { fromStripeAmount } from "./amounts.ts";

/** Types of Stripe's events that billing reads. An account with an older API version reports a failed refund as the first one. */
export const EVENT_TYPES = [
  "charge.refund.updated",
  "refund.updated",
  "refund.failed",
  "payment_intent.canceled",
  "charge.dispute.created",
  "charge.dispute.updated",
  "charge.dispute.closed",
];

/** Returns the report in an event; undefined if it is of no interest to billing, or about no payment of billing's. */
export function reportOf(event: Stripe.Event): ProviderReport | undefined {
  const found = contentOf(event);
  if (found === undefined) return undefined;
  const { intent, event: reported } = found;
  if (intent === null) return undefined;
  const reference = typeof intent === "string" ? intent : intent.id;
  return { id: event.id, at: fromUnix(event.created), reference, event: reported };
}

interface Content {
  readonly intent: string | Stripe.PaymentIntent | null;
  readonly event: ReportedEvent;
}

function contentOf(event: Stripe.Event): Content | undefined {
  switch (event.type) {
    case "charge.refund.updated":
    case "refund.updated":
    case "refund.failed":
      return failedRefund(event.data.object);
    case "payment_intent.canceled":
      return { intent: event.data.object, event: { type: "voided" } };
    case "charge.dispute.created":
    case "charge.dispute.updated":
    case "charge.dispute.closed":
      return dispute(event.data.object);
    default:
      return undefined;
  }
}

/** A refund that was made at Stripe by hand has no id of billing's. */
function failedRefund(refund: Stripe.Refund): Content | undefined {
  const { status, payment_intent: intent, failure_reason: reason } = refund;
  const id = refund.metadata?.["refund"];
  if (id === undefined || (status !== "failed" && status !== "canceled")) return undefined;
  return { intent, event: { type: "refund_failed", refund: id, reason: reason ?? status } };
}

function dispute(found: Stripe.Dispute): Content {
  const { id, payment_intent: intent, amount, currency, reason, evidence_details } = found;
  const status = ENDS.get(found.status) ?? "open";
  const dueBy = found.status.endsWith("needs_response") ? evidence_details.due_by : null;
  return {
    intent,
    event: {
      ...{ type: "dispute", dispute: id, status, reason },
      amount: fromStripeAmount(amount, currency),
      respondBy: dueBy === null ? undefined : fromUnix(dueBy),
    },
  };
}

/** The final statuses of disputes. All others are open. */
const ENDS: ReadonlyMap<string, DisputeStatus> = new Map([
  ["won", "won"],
  // An inquiry that didn't become a chargeback.
  ["warning_closed", "won"],
  ["lost", "lost"],
  // The card network has refunded the customer before there was a chargeback.
  ["prevented", "lost"],
]);

export function fromUnix(seconds: number): Date {
  return new Date(seconds * 1_000);
}
