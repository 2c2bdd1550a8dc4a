import type { Money, PaymentMethods } from "./schemas.ts";

/**
 * Who takes the customers' money. Every call is idempotent by our id, for ever: asked again, it answers what came of the first
 * time and takes nothing twice. It answers what is certain and throws ProviderUnknown where it can't tell; whatever it throws,
 * the call may have taken effect. A call for something voided is refused however late it comes.
 */
export interface PaymentProvider {
  /** Kept with each payment, which only this provider can go on with. */
  readonly name: ProviderName;
  /** What customers can pay with as things are: a provider's key may change while the service runs. */
  paymentMethods(): PaymentMethods;
  /** Holds the amount on the customer's account. */
  authorise(request: AuthorisationRequest): Promise<AuthorisationOutcome>;
  /** Takes all of what is held. */
  capture(payment: KnownPayment): Promise<"captured" | "voided">;
  /** Lets go of what is held, and refuses to hold it later. */
  void(payment: KnownPayment): Promise<"voided" | "captured">;
  /** Pays back a part of what was taken, once for each id of a refund. */
  refund(refund: RefundCall): Promise<RefundOutcome>;
}

export const providers = ["simulated", "stripe"] as const;
export type ProviderName = (typeof providers)[number];

export interface KnownPayment {
  readonly id: string;
  /** What the provider calls it, as given to `keep`. */
  readonly reference: string | null;
}

export interface AuthorisationRequest extends KnownPayment {
  readonly order: string;
  readonly amount: Money;
  readonly token: string;
  /** Keeps the provider's own name of the payment durably. Throws where the payment isn't ours to go on with any more. */
  readonly keep: (reference: string) => Promise<void>;
}

export type AuthorisationOutcome =
  | { readonly status: "authorised" | "captured" | "voided" }
  | { readonly status: "declined"; readonly reason: string };

export interface RefundCall {
  readonly id: string;
  readonly payment: KnownPayment;
  readonly amount: Money;
}

/** pending: the provider has taken it over, and will say later what came of it. */
export type RefundOutcome =
  | { readonly status: "succeeded" | "pending" }
  | { readonly status: "failed"; readonly reason: string };

/** No answer, or one that says nothing of the call: it may have taken effect or not. The same call may be made again. */
export class ProviderUnknown extends Error {
  override readonly name = "ProviderUnknown";
}
