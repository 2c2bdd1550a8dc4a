import type { PaymentMethods } from "../methods/schemas.ts";
import type { Money } from "../money.ts";

/**
 * A payment provider: holds, captures, voids and refunds the customers' money. Each call is idempotent by the payment's or
 * refund's id, without a time limit: a repeated call returns the first call's outcome and moves no money twice. A call returns
 * definite outcomes only. Any error means that the call may have taken effect. Calls for a voided payment are refused, however
 * late they arrive.
 *
 * @throws UnknownOutcomeError if the outcome isn't known.
 */
export interface PaymentProvider {
  /** Stored with each payment: only the provider that started a payment can continue it. */
  readonly name: ProviderName;
  /** Returns the payment methods accepted right now. They can change at run time, because the provider's key can. */
  paymentMethods(): PaymentMethods;
  /**
   * Checks without the bank that a payment method exists and can be used. Holds nothing and changes nothing. A usable payment method can
   * still be declined by the bank.
   */
  validate(token: string): Promise<ValidationOutcome>;
  /** Holds the amount on the customer's account. */
  authorise(request: AuthorisationRequest): Promise<AuthorisationOutcome>;
  /**
   * Captures the whole authorised amount. "voided": the authorisation has ended, so that the amount can't be captured any more.
   *
   * @throws ProviderRefusal if the provider definitely refused for another reason. The payment stays authorised.
   */
  capture(payment: PaymentIdentity): Promise<"captured" | "voided">;
  /**
   * Releases the authorised amount and refuses a later authorisation.
   *
   * @throws ProviderRefusal if the provider definitely refused. The payment stays as it is.
   */
  void(payment: PaymentIdentity): Promise<"voided" | "captured">;
  /** Refunds a part of the captured amount, once for each refund id. */
  refund(refund: ProviderRefundRequest): Promise<RefundOutcome>;
  /**
   * Reads a page of what happened to payments without a call of billing's, newest first. A report is repeated by later reads.
   *
   * @default the provider reports nothing
   */
  readonly reports?: (query: ReportQuery) => Promise<ReportPage>;
}

export interface ReportQuery {
  /** Time of the oldest wanted report. Undefined: all that the provider still knows. */
  readonly since: Date | undefined;
  /** `next` of the previous page. Undefined for the first one. */
  readonly after: string | undefined;
}

export interface ReportPage {
  readonly items: readonly ProviderReport[];
  /** Time of the newest event on the page, also of one that is no report. Undefined on an empty page. */
  readonly newest: Date | undefined;
  /** Undefined on the last page. */
  readonly next: string | undefined;
}

export interface ProviderReport {
  /** The provider's own id of the report. */
  readonly id: string;
  readonly at: Date;
  /** The provider's own id of the payment. */
  readonly reference: string;
  readonly event: ReportedEvent;
}

/** voided: the provider has released the authorised amount. */
export type ReportedEvent =
  | { readonly type: "refund_failed"; readonly refund: string; readonly reason: string }
  | { readonly type: "voided" }
  | ({ readonly type: "dispute" } & ReportedDispute);

export interface ReportedDispute {
  /** The provider's own id of the dispute. */
  readonly dispute: string;
  readonly status: DisputeStatus;
  readonly amount: Money;
  readonly reason: string;
  /** The provider accepts an answer until then. Undefined if none is expected. */
  readonly respondBy: Date | undefined;
}

export type DisputeStatus = "open" | "won" | "lost";

export const providers = ["simulated", "stripe"] as const;
export type ProviderName = (typeof providers)[number];

export interface PaymentIdentity {
  readonly id: string;
  /** The provider's own id of the payment, as passed to `saveReference`. Null before that. */
  readonly reference: string | null;
}

export interface AuthorisationRequest extends PaymentIdentity {
  readonly order: string;
  readonly amount: Money;
  readonly token: string;
  /**
   * Stores the provider's own id of the payment.
   *
   * @throws Problem (503) if this call no longer holds the payment's lease.
   */
  readonly saveReference: (reference: string) => Promise<void>;
}

export type AuthorisationOutcome =
  | { readonly status: "authorised" | "captured" | "voided" }
  | ({ readonly status: "declined"; readonly reason: string } & Refusal);

interface Refusal {
  /**
   * Description, for the log, of a refusal that has nothing to do with the customer, for example because of the account's settings. Each
   * further payment would meet it, too.
   */
  readonly refusal?: string;
}

/** "usable" with a refusal: the provider refused to show the payment method, so that only the authorisation can tell. */
export type ValidationOutcome =
  | ({ readonly status: "usable" } & Refusal)
  | { readonly status: "declined"; readonly reason: string };

export interface ProviderRefundRequest {
  readonly id: string;
  readonly payment: PaymentIdentity;
  readonly amount: Money;
}

/** pending: the provider has accepted the refund and decides later. */
export type RefundOutcome =
  | { readonly status: "succeeded" | "pending" }
  | ({ readonly status: "failed"; readonly reason: string } & Refusal);

/** The call's outcome is unknown: no answer, or one that doesn't tell. The call may have taken effect; repeating it is safe. */
export class UnknownOutcomeError extends Error {
  override readonly name = "UnknownOutcomeError";
}

/** The provider definitely refused to capture or void a payment. Nothing has changed. */
export class ProviderRefusal extends Error {
  override readonly name = "ProviderRefusal";
  readonly action: "capture" | "void";
  /** The provider's code of the refusal. */
  readonly reason: string;

  /** @param details Further details for the log. */
  constructor(action: "capture" | "void", reason: string, details = reason) {
    super(`The payment provider refused to ${action} a payment: ${details}`);
    this.action = action;
    this.reason = reason;
  }
}
