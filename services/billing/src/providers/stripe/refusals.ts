import { ProviderRefusal, type AuthorisationOutcome, type RefundOutcome } from "../provider.ts";
import { declined, declineReasonOf } from "./outcomes.ts";
import { TOKEN, type StripeRefusal } from "./stripeClient.ts";

/** Outcome of an authorisation for which Stripe refused to create the PaymentIntent. Asked again and again, Stripe would refuse again. */
export function refusedCreation(refusal: StripeRefusal): AuthorisationOutcome {
  if (!refusal.isAbout(/^(amount|currency)$/)) return paymentFailed(refusal);
  return declined(refusal.code ?? `invalid_${refusal.param ?? ""}`);
}

/** Outcome of an authorisation for which Stripe refused the confirmation. */
export function refusedConfirmation(refusal: StripeRefusal): AuthorisationOutcome {
  if (refusal.declined) return declined(declineReasonOf(refusal));
  return refusal.isAbout(TOKEN) ? declined("invalid_token") : paymentFailed(refusal);
}

/** A decline that isn't the customer's fault. Customers don't learn Stripe's code. */
function paymentFailed({ message }: StripeRefusal): AuthorisationOutcome {
  return { status: "declined", reason: "payment_failed", refusal: message };
}

export function refusedRefund({ code, param, message }: StripeRefusal): RefundOutcome {
  const reason = code ?? (param === "amount" ? "amount_too_large" : REFUSED);
  return {
    ...{ status: "failed", reason },
    ...(REFUND_REFUSALS.has(reason) ? {} : { refusal: message }),
  };
}

/** Returns whether a capture was refused because the authorisation has ended. */
export function isLapsed({ code = "" }: StripeRefusal): boolean {
  return LAPSED.has(code);
}

export function refusalOf(
  action: ProviderRefusal["action"],
  { code = REFUSED, message }: StripeRefusal,
): ProviderRefusal {
  return new ProviderRefusal(action, code, message);
}

/** Reason for a refusal if Stripe gives none. */
const REFUSED = "refused";
const LAPSED = new Set(["charge_expired_for_capture", "capture_charge_authorization_expired"]);
/** Codes of refusals because of the payment's own state. */
const REFUND_REFUSALS = new Set([
  "charge_already_refunded",
  "charge_disputed",
  "charge_not_refundable",
  "refund_disputed_payment",
  "amount_too_large",
]);
