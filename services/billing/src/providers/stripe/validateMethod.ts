import type Stripe from "stripe";
import type { ValidationOutcome } from "../provider.ts";
import { StripeRefusal, type StripeClient } from "./stripeClient.ts";

/**
 * Looks a customer's PaymentMethod or ConfirmationToken up. Declines one that Stripe doesn't know, that is saved for one of the account's
 * customers, whose card has expired, or a ConfirmationToken that expired unused: Stripe would refuse to confirm a payment with it. Stripe
 * doesn't show that a PaymentMethod was used or detached. A used ConfirmationToken counts as usable, because the order's own payment may
 * have used it: a worker that dies after the authorisation leaves an order that is validated again.
 *
 * @throws UnknownOutcomeError if Stripe gave no definite answer.
 */
export async function validateMethod(
  client: StripeClient,
  token: string,
): Promise<ValidationOutcome> {
  // Stripe's ids consist of these characters. Other text could change the path of the request.
  if (!/^\w+$/.test(token)) return INVALID;
  try {
    const method = await findMethod(client, token);
    // A payment of ours has no customer at Stripe, and Stripe takes a customer's payment method for payments of that customer only.
    if (method === undefined || (method.customer ?? null) !== null) return INVALID;
    return hasExpired(method.card, Date.now())
      ? { status: "declined", reason: "expired_card" }
      : { status: "usable" };
  } catch (error) {
    if (!(error instanceof StripeRefusal)) throw error;
    // Because of the account or the key, not of the payment method: the authorisation will tell.
    return { status: "usable", refusal: error.message };
  }
}

const INVALID = { status: "declined", reason: "invalid_token" } as const;

type Method = Pick<Stripe.PaymentMethod, "customer" | "card">;

/** Returns the payment method; undefined if Stripe doesn't know it, or not any more. */
async function findMethod(client: StripeClient, token: string): Promise<Method | undefined> {
  if (!token.startsWith("ctoken_"))
    return client.find("retrieve a PaymentMethod", (stripe) =>
      stripe.paymentMethods.retrieve(token),
    );
  const found = await client.find("retrieve a ConfirmationToken", (stripe) =>
    stripe.confirmationTokens.retrieve(token),
  );
  if (found === undefined || hasExpiredUnused(found, Date.now())) return undefined;
  const { customer = null, card } = found.payment_method_preview ?? {};
  return { customer, ...(card === undefined ? {} : { card }) };
}

function hasExpiredUnused(token: Stripe.ConfirmationToken, now: number): boolean {
  const { expires_at: expiresAt, payment_intent: usedBy } = token;
  return usedBy === null && expiresAt !== null && expiresAt * 1_000 <= now;
}

/** Returns whether a card has expired everywhere on Earth. A card is valid until the end of its month. */
function hasExpired(card: Method["card"], now: number): boolean {
  // The month counts from 1 in Stripe and from 0 here: this is the second day of the next month.
  return card !== undefined && Date.UTC(card.exp_year, card.exp_month, 2) <= now;
}
