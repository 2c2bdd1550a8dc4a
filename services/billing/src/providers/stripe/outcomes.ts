import type Stripe from "stripe";
import { UnknownOutcomeError, type AuthorisationOutcome, type RefundOutcome } from "../provider.ts";

/** Returns the outcome of a PaymentIntent; undefined if it can still be confirmed. */
export function outcomeOf(intent: Stripe.PaymentIntent): AuthorisationOutcome | undefined {
  switch (intent.status) {
    case "requires_capture":
      return { status: "authorised" };
    case "succeeded":
      return { status: "captured" };
    case "canceled":
      return intent.cancellation_reason === DECLINED ? lastDecline(intent) : { status: "voided" };
    case "requires_action":
      return declined("authentication_required");
    case "requires_payment_method":
      return intent.last_payment_error === null ? undefined : lastDecline(intent);
    case "requires_confirmation":
      return undefined;
    default:
      throw new UnknownOutcomeError(`Stripe: the PaymentIntent is ${intent.status}`);
  }
}

/** Cancellation reason of a PaymentIntent that is cancelled after a decline, to tell it from a voided one. */
export const DECLINED = "abandoned";

function lastDecline({ last_payment_error: error }: Stripe.PaymentIntent): AuthorisationOutcome {
  return declined(declineReasonOf({ code: error?.code, declineCode: error?.decline_code }));
}

/** Returns the outcome of a confirmed PaymentIntent. */
export function requireOutcome(intent: Stripe.PaymentIntent): AuthorisationOutcome {
  const outcome = outcomeOf(intent);
  if (outcome !== undefined) return outcome;
  throw new UnknownOutcomeError(
    `Stripe: the PaymentIntent is ${intent.status} after it was confirmed`,
  );
}

export function outcomeOfRefund(refund: Stripe.Refund): RefundOutcome {
  if (refund.status === "succeeded") return { status: "succeeded" };
  if (refund.status === "failed" || refund.status === "canceled")
    return { status: "failed", reason: refund.failure_reason ?? refund.status };
  return { status: "pending" };
}

export function declined(reason: string): AuthorisationOutcome {
  return { status: "declined", reason };
}

interface Codes {
  readonly code?: string | undefined;
  readonly declineCode?: string | undefined;
}

/** Reason for a decline. Only reasons that the shop can explain to the customer are passed on; all others are "declined". */
export function declineReasonOf({ code, declineCode }: Codes): string {
  const reasons = [
    "insufficient_funds",
    "expired_card",
    "incorrect_cvc",
    "authentication_required",
  ];
  return reasons.find((reason) => reason === declineCode || reason === code) ?? "declined";
}
