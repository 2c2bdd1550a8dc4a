import Stripe from "stripe";
import {
  ProviderUnknown,
  type AuthorisationOutcome,
  type AuthorisationRequest,
  type KnownPayment,
  type PaymentProvider,
  type RefundCall,
  type RefundOutcome,
} from "../provider.ts";
import type { PaymentMethods } from "../schemas.ts";

interface StripeOptions {
  /** Reads the secret key; called for each request, so that a new key needs no restart. */
  readonly key: () => string;
  /** Where Stripe's API answers. */
  readonly url: string;
  /** Milliseconds for one request. */
  readonly timeout: number;
}

/**
 * Stripe forgets an idempotency key after a day, and ours are for ever. So a payment is a PaymentIntent that is made
 * unconfirmed, which moves no money, and whose id we keep before it is confirmed: from then on its own state says what was
 * done, and Stripe refuses to do it twice. One whose id got lost on the way stays unconfirmed.
 */
export class StripeProvider implements PaymentProvider {
  readonly name = "stripe";
  readonly #options: StripeOptions;
  #client: { readonly key: string; readonly stripe: Stripe } | undefined;

  constructor(options: StripeOptions) {
    this.#options = options;
  }

  /** A real card's number may be entered into nothing but Stripe's own form, so for those we have nothing to offer. */
  paymentMethods(): PaymentMethods {
    const isTest = /^(sk|rk)_test_/.test(this.#options.key());
    return { provider: this.name, movesMoney: !isTest, methods: isTest ? testMethods : [] };
  }

  async authorise(request: AuthorisationRequest): Promise<AuthorisationOutcome> {
    const { reference, token, keep } = request;
    if (reference !== null)
      return outcomeOf(await this.#retrieve(reference)) ?? this.#confirm(reference, token);
    const made = await this.#create(request);
    if (typeof made !== "string") return made;
    await keep(made);
    return this.#confirm(made, token);
  }

  async capture({ id, reference }: KnownPayment): Promise<"captured" | "voided"> {
    const intent = named(id, reference);
    const status = await this.#change(intent, "capture", (stripe) =>
      stripe.paymentIntents.capture(intent),
    );
    if (status === "succeeded") return "captured";
    // Stripe itself lets go of what isn't captured within a week.
    if (status === "canceled") return "voided";
    throw new Error(`Stripe can't capture a PaymentIntent that is ${status}`);
  }

  async void({ reference }: KnownPayment): Promise<"voided" | "captured"> {
    // Nothing is confirmed before its id is kept.
    if (reference === null) return "voided";
    const status = await this.#change(reference, "cancel", (stripe) =>
      stripe.paymentIntents.cancel(reference),
    );
    if (status === "canceled") return "voided";
    if (status === "succeeded") return "captured";
    throw new ProviderUnknown(`cancel: the PaymentIntent is ${status}`);
  }

  async refund({ id, payment, amount }: RefundCall): Promise<RefundOutcome> {
    const intent = named(payment.id, payment.reference);
    // Refunds have no state of ours to refuse a second one, and the key is forgotten after a day: ours carry our id.
    const earlier = await this.#ask("list refunds", async (stripe) => {
      for await (const refund of stripe.refunds.list({ payment_intent: intent, limit: 100 }))
        if (refund.metadata?.["refund"] === id) return refund;
      return undefined;
    });
    if (earlier !== undefined) return outcomeOfRefund(earlier);
    try {
      const refund = await this.#ask("refund", (stripe) =>
        stripe.refunds.create(
          { payment_intent: intent, amount: amount.amount, metadata: { refund: id } },
          { idempotencyKey: id },
        ),
      );
      return outcomeOfRefund(refund);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const reason = error.code ?? (error.param === "amount" ? "amount_too_large" : "");
      if (!REFUND_REFUSALS.has(reason)) throw error;
      return { status: "failed", reason };
    }
  }

  /** Makes the PaymentIntent and gives its id, or why Stripe will never take such an amount. */
  async #create({ id, order, amount }: AuthorisationRequest) {
    // Whoever asks again soon gets the same one. Not much later: Stripe repeats what it answered to a key, a failure too.
    const idempotencyKey = `${id}-${Math.floor(Date.now() / TEN_MINUTES)}`;
    try {
      const intent = await this.#ask("create", (stripe) =>
        stripe.paymentIntents.create(
          {
            amount: amount.amount,
            currency: amount.currency.toLowerCase(),
            capture_method: "manual",
            allowed_payment_method_types: ["card"],
            metadata: { payment: id, order },
          },
          { idempotencyKey },
        ),
      );
      return intent.id;
    } catch (error) {
      if (!(error instanceof Refused) || !["amount", "currency"].includes(error.param ?? ""))
        throw error;
      return declined(error.code ?? `invalid_${error.param ?? "amount"}`);
    }
  }

  async #confirm(intent: string, token: string): Promise<AuthorisationOutcome> {
    try {
      const confirmed = await this.#ask("confirm", (stripe) =>
        stripe.paymentIntents.confirm(intent, {
          ...paymentMethod(token),
          // Nobody is there who could answer their bank's questions.
          error_on_requires_action: true,
        }),
      );
      return certain(confirmed);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.declined) return declined(wordFor(error));
      // Somebody else confirmed or cancelled it meanwhile.
      if (error.code === UNEXPECTED_STATE) return certain(await this.#retrieve(intent));
      if (/^(payment_method|confirmation_token)/.test(error.param ?? ""))
        return declined("invalid_token");
      throw error;
    }
  }

  /** Gives the state after a change, also where it was made before or can't be made any more. */
  async #change(
    intent: string,
    doing: string,
    change: (stripe: Stripe) => Promise<Stripe.PaymentIntent>,
  ): Promise<Stripe.PaymentIntent.Status> {
    try {
      return (await this.#ask(doing, change)).status;
    } catch (error) {
      if (!(error instanceof Refused) || error.code !== UNEXPECTED_STATE) throw error;
      return (await this.#retrieve(intent)).status;
    }
  }

  #retrieve(intent: string): Promise<Stripe.PaymentIntent> {
    return this.#ask("retrieve", (stripe) => stripe.paymentIntents.retrieve(intent));
  }

  /** One request. What Stripe refused is told from what isn't known. */
  async #ask<T>(doing: string, request: (stripe: Stripe) => Promise<T>): Promise<T> {
    try {
      return await request(this.#connect());
    } catch (error) {
      if (!(error instanceof Stripe.errors.StripeError)) throw error;
      if (
        error instanceof Stripe.errors.StripeAuthenticationError ||
        error instanceof Stripe.errors.StripePermissionError
      ) {
        throw new ProviderUnknown(
          `Stripe refuses the key: put a valid one into the file STRIPE_SECRET_KEY_FILE${requestOf(error)}`,
        );
      }
      if (isDefinite(error)) throw new Refused(doing, error);
      const code = error.code === undefined ? "" : ` ${error.code}`;
      throw new ProviderUnknown(`Stripe: ${doing}: ${error.type}${code}${requestOf(error)}`);
    }
  }

  #connect(): Stripe {
    const key = this.#options.key();
    if (this.#client?.key !== key) {
      const { protocol, hostname, port } = new URL(this.#options.url);
      const stripe = new Stripe(key, {
        host: hostname,
        port: port === "" ? (protocol === "http:" ? 80 : 443) : Number(port),
        protocol: protocol === "http:" ? "http" : "https",
        timeout: this.#options.timeout,
        // Whoever called us asks again, and by then the state says what is left to do.
        maxNetworkRetries: 0,
        telemetry: false,
      });
      this.#client = { key, stripe };
    }
    return this.#client.stripe;
  }
}

/** Stripe's test cards, by the ids in https://docs.stripe.com/testing. No other key but a test key knows them. */
const testMethods: PaymentMethods["methods"] = [
  {
    token: "pm_card_visa",
    name: "Card that pays",
    description: "The payment goes through at once.",
    outcome: "authorised",
  },
  {
    token: "pm_card_visa_chargeDeclined",
    name: "Declined card",
    description: "The bank says no.",
    outcome: "declined",
    reason: "declined",
  },
  {
    token: "pm_card_visa_chargeDeclinedInsufficientFunds",
    name: "Empty card",
    description: "There isn’t enough money on it.",
    outcome: "declined",
    reason: "insufficient_funds",
  },
  {
    token: "pm_card_chargeDeclinedExpiredCard",
    name: "Expired card",
    description: "It is out of date, and the bank says no.",
    outcome: "declined",
    reason: "expired_card",
  },
  {
    token: "pm_card_authenticationRequired",
    name: "Card with a question",
    description: "The bank wants its customer to answer, which can’t be done here: it is declined.",
    outcome: "declined",
    reason: "authentication_required",
  },
];

const TEN_MINUTES = 600_000;
const UNEXPECTED_STATE = "payment_intent_unexpected_state";
/** What no repetition of a refund changes. */
const REFUND_REFUSALS = new Set([
  "charge_already_refunded",
  "charge_disputed",
  "charge_not_refundable",
  "refund_disputed_payment",
  "amount_too_large",
]);

/** Stripe's definite no. It has none of Stripe's message, which may quote the token. */
class Refused extends Error {
  override readonly name = "Refused";
  readonly declined: boolean;
  readonly code: string | undefined;
  readonly declineCode: string | undefined;
  readonly param: string | undefined;

  constructor(doing: string, error: Stripe.errors.StripeError) {
    const about = [error.code, error.param].filter((word) => word !== undefined).join(", ");
    super(`Stripe refused to ${doing}: ${error.type} (${about})${requestOf(error)}`);
    this.declined = error instanceof Stripe.errors.StripeCardError;
    this.code = error.code;
    this.declineCode = error.decline_code;
    this.param = error.param;
  }
}

function isDefinite(error: Stripe.errors.StripeError): boolean {
  return (
    error instanceof Stripe.errors.StripeCardError ||
    error instanceof Stripe.errors.StripeInvalidRequestError ||
    error instanceof Stripe.errors.StripeIdempotencyError
  );
}

/** By which Stripe's support finds it. */
function requestOf({ requestId }: Stripe.errors.StripeError): string {
  return requestId === undefined ? "" : ` (request ${requestId})`;
}

/** What came of a PaymentIntent; undefined where it may still be confirmed. */
function outcomeOf(intent: Stripe.PaymentIntent): AuthorisationOutcome | undefined {
  switch (intent.status) {
    case "requires_capture":
      return { status: "authorised" };
    case "succeeded":
      return { status: "captured" };
    case "canceled":
      return { status: "voided" };
    case "requires_action":
      return declined("authentication_required");
    case "requires_payment_method": {
      const { last_payment_error: error } = intent;
      if (error === null) return undefined;
      return declined(wordFor({ code: error.code, declineCode: error.decline_code }));
    }
    case "requires_confirmation":
      return undefined;
    default:
      throw new ProviderUnknown(`Stripe: the PaymentIntent is ${intent.status}`);
  }
}

function certain(intent: Stripe.PaymentIntent): AuthorisationOutcome {
  const outcome = outcomeOf(intent);
  if (outcome !== undefined) return outcome;
  throw new ProviderUnknown(`Stripe: the PaymentIntent is ${intent.status} after it was confirmed`);
}

function outcomeOfRefund(refund: Stripe.Refund): RefundOutcome {
  if (refund.status === "succeeded") return { status: "succeeded" };
  if (refund.status === "failed" || refund.status === "canceled")
    return { status: "failed", reason: refund.failure_reason ?? refund.status };
  return { status: "pending" };
}

function declined(reason: string): AuthorisationOutcome {
  return { status: "declined", reason };
}

interface Codes {
  readonly code?: string | undefined;
  readonly declineCode?: string | undefined;
}

/** Words that a shop's page can say something helpful to. The banks' others are no customer's business. */
function wordFor({ code, declineCode }: Codes): string {
  const words = ["insufficient_funds", "expired_card", "incorrect_cvc", "authentication_required"];
  return words.find((word) => word === declineCode || word === code) ?? "declined";
}

/** What a browser gets from Stripe for a card: a ConfirmationToken or a PaymentMethod. */
function paymentMethod(token: string): Stripe.PaymentIntentConfirmParams {
  return token.startsWith("ctoken_") ? { confirmation_token: token } : { payment_method: token };
}

function named(id: string, reference: string | null): string {
  if (reference !== null) return reference;
  throw new Error(`Payment ${id} was taken, and Stripe's name for it isn't there`);
}
