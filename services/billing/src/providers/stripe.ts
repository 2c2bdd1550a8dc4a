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
  /** Returns the secret key. Called for each request, so that a new key needs no restart. */
  readonly key: () => string;
  /** Base URL of Stripe's API. */
  readonly url: string;
  /** Timeout of one request, in milliseconds. */
  readonly timeout: number;
}

/**
 * Payment provider Stripe. Stripe forgets an idempotency key after a day, but billing's ids never expire. A payment is therefore
 * created as an unconfirmed PaymentIntent, which moves no money, and its id is stored before the confirmation. From then on the
 * PaymentIntent's status tells what was done, and Stripe refuses to repeat a step. A PaymentIntent whose id got lost stays
 * unconfirmed.
 */
export class StripeProvider implements PaymentProvider {
  readonly name = "stripe";
  readonly #options: StripeOptions;
  #client: { readonly key: string; readonly stripe: Stripe } | undefined;

  constructor(options: StripeOptions) {
    this.#options = options;
  }

  /** Returns Stripe's test cards with a test key. With a live key there are none: a real card's number may be entered only into Stripe's own form. */
  paymentMethods(): PaymentMethods {
    const isTest = /^(sk|rk)_test_/.test(this.#options.key());
    return { provider: this.name, movesMoney: !isTest, methods: isTest ? testMethods : [] };
  }

  async authorise(request: AuthorisationRequest): Promise<AuthorisationOutcome> {
    const { reference, token, saveReference } = request;
    if (reference !== null)
      return outcomeOf(await this.#retrieve(reference)) ?? this.#confirm(reference, token);
    const created = await this.#create(request);
    if (typeof created !== "string") return created;
    await saveReference(created);
    return this.#confirm(created, token);
  }

  async capture({ id, reference }: KnownPayment): Promise<"captured" | "voided"> {
    const intent = requireReference(id, reference);
    const status = await this.#change(intent, "capture", (stripe) =>
      stripe.paymentIntents.capture(intent),
    );
    if (status === "succeeded") return "captured";
    // Stripe cancels a PaymentIntent that isn't captured within a week.
    if (status === "canceled") return "voided";
    throw new Error(`Stripe can't capture a PaymentIntent that is ${status}`);
  }

  async void({ reference }: KnownPayment): Promise<"voided" | "captured"> {
    // A PaymentIntent is confirmed only after its id was stored.
    if (reference === null) return "voided";
    const status = await this.#change(reference, "cancel", (stripe) =>
      stripe.paymentIntents.cancel(reference),
    );
    if (status === "canceled") return "voided";
    if (status === "succeeded") return "captured";
    throw new ProviderUnknown(`cancel: the PaymentIntent is ${status}`);
  }

  async refund({ id, payment, amount }: RefundCall): Promise<RefundOutcome> {
    const intent = requireReference(payment.id, payment.reference);
    // Stripe doesn't refuse a second refund by status and forgets the idempotency key after a day. So the refund's metadata has our id.
    const earlier = await this.#send("list refunds", async (stripe) => {
      for await (const refund of stripe.refunds.list({ payment_intent: intent, limit: 100 }))
        if (refund.metadata?.["refund"] === id) return refund;
      return undefined;
    });
    if (earlier !== undefined) return outcomeOfRefund(earlier);
    try {
      const refund = await this.#send("refund", (stripe) =>
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

  /** Creates the PaymentIntent. Returns its id, or a decline if Stripe never accepts such an amount. */
  async #create({ id, order, amount }: AuthorisationRequest) {
    // A retry within the same ten minutes gets the same PaymentIntent. Not for longer: Stripe repeats its answer to a key, even a failure.
    const idempotencyKey = `${id}-${Math.floor(Date.now() / TEN_MINUTES)}`;
    try {
      const intent = await this.#send("create", (stripe) =>
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
      const confirmed = await this.#send("confirm", (stripe) =>
        stripe.paymentIntents.confirm(intent, {
          ...paymentMethod(token),
          // The customer can't authenticate with the bank here: the payment is made in the background.
          error_on_requires_action: true,
        }),
      );
      return requireOutcome(confirmed);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.declined) return declined(declineReasonOf(error));
      // Another call has confirmed or cancelled the PaymentIntent.
      if (error.code === UNEXPECTED_STATE) return requireOutcome(await this.#retrieve(intent));
      if (/^(payment_method|confirmation_token)/.test(error.param ?? ""))
        return declined("invalid_token");
      throw error;
    }
  }

  /** Changes a PaymentIntent. Returns its status afterwards, also if the change was made before or isn't possible any more. */
  async #change(
    intent: string,
    action: string,
    change: (stripe: Stripe) => Promise<Stripe.PaymentIntent>,
  ): Promise<Stripe.PaymentIntent.Status> {
    try {
      return (await this.#send(action, change)).status;
    } catch (error) {
      if (!(error instanceof Refused) || error.code !== UNEXPECTED_STATE) throw error;
      return (await this.#retrieve(intent)).status;
    }
  }

  #retrieve(intent: string): Promise<Stripe.PaymentIntent> {
    return this.#send("retrieve", (stripe) => stripe.paymentIntents.retrieve(intent));
  }

  /**
   * Sends one request.
   *
   * @throws Refused if Stripe definitely refused it, ProviderUnknown if the outcome isn't known.
   */
  async #send<T>(action: string, request: (stripe: Stripe) => Promise<T>): Promise<T> {
    try {
      return await request(this.#connect());
    } catch (error) {
      if (!(error instanceof Stripe.errors.StripeError)) throw error;
      if (
        error instanceof Stripe.errors.StripeAuthenticationError ||
        error instanceof Stripe.errors.StripePermissionError
      ) {
        throw new ProviderUnknown(
          `Stripe rejected the secret key. Put a valid key into the file named by STRIPE_SECRET_KEY_FILE${requestOf(error)}`,
        );
      }
      if (isDefinite(error)) throw new Refused(action, error);
      const code = error.code === undefined ? "" : ` ${error.code}`;
      throw new ProviderUnknown(`Stripe: ${action}: ${error.type}${code}${requestOf(error)}`);
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
        // The caller retries, and then the PaymentIntent's status tells what is left to do.
        maxNetworkRetries: 0,
        telemetry: false,
      });
      this.#client = { key, stripe };
    }
    return this.#client.stripe;
  }
}

/** Stripe's test cards by their ids in https://docs.stripe.com/testing. They work with a test key only. */
const testMethods: PaymentMethods["methods"] = [
  {
    token: "pm_card_visa",
    name: "Card that is accepted",
    description: "The payment is confirmed at once.",
    outcome: "authorised",
  },
  {
    token: "pm_card_visa_chargeDeclined",
    name: "Declined card",
    description: "The bank declines the card.",
    outcome: "declined",
    reason: "declined",
  },
  {
    token: "pm_card_visa_chargeDeclinedInsufficientFunds",
    name: "Card without funds",
    description: "The card has insufficient funds.",
    outcome: "declined",
    reason: "insufficient_funds",
  },
  {
    token: "pm_card_chargeDeclinedExpiredCard",
    name: "Expired card",
    description: "The card has expired and is declined.",
    outcome: "declined",
    reason: "expired_card",
  },
  {
    token: "pm_card_authenticationRequired",
    name: "Card that needs verification",
    description:
      "The bank asks for a verification, which isn’t supported here. The card is declined.",
    outcome: "declined",
    reason: "authentication_required",
  },
];

const TEN_MINUTES = 600_000;
const UNEXPECTED_STATE = "payment_intent_unexpected_state";
/** Codes of permanent refusals of a refund: retrying is useless. */
const REFUND_REFUSALS = new Set([
  "charge_already_refunded",
  "charge_disputed",
  "charge_not_refundable",
  "refund_disputed_payment",
  "amount_too_large",
]);

/** Definite refusal by Stripe. Leaves out Stripe's message, which may quote the token. */
class Refused extends Error {
  override readonly name = "Refused";
  readonly declined: boolean;
  readonly code: string | undefined;
  readonly declineCode: string | undefined;
  readonly param: string | undefined;

  constructor(action: string, error: Stripe.errors.StripeError) {
    const details = [error.code, error.param].filter((reason) => reason !== undefined).join(", ");
    super(`Stripe refused to ${action}: ${error.type} (${details})${requestOf(error)}`);
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

/** Stripe's request id for a log line: Stripe's support finds the request by it. */
function requestOf({ requestId }: Stripe.errors.StripeError): string {
  return requestId === undefined ? "" : ` (request ${requestId})`;
}

/** Outcome of a PaymentIntent. Undefined if it can still be confirmed. */
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
      return declined(declineReasonOf({ code: error.code, declineCode: error.decline_code }));
    }
    case "requires_confirmation":
      return undefined;
    default:
      throw new ProviderUnknown(`Stripe: the PaymentIntent is ${intent.status}`);
  }
}

function requireOutcome(intent: Stripe.PaymentIntent): AuthorisationOutcome {
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

/** Reason for a decline. Only reasons that the shop can explain to the customer are passed on; all others are "declined". */
function declineReasonOf({ code, declineCode }: Codes): string {
  const reasons = [
    "insufficient_funds",
    "expired_card",
    "incorrect_cvc",
    "authentication_required",
  ];
  return reasons.find((reason) => reason === declineCode || reason === code) ?? "declined";
}

/** Parameter for the token that the browser got from Stripe: a ConfirmationToken or a PaymentMethod. */
function paymentMethod(token: string): Stripe.PaymentIntentConfirmParams {
  return token.startsWith("ctoken_") ? { confirmation_token: token } : { payment_method: token };
}

function requireReference(id: string, reference: string | null): string {
  if (reference !== null) return reference;
  throw new Error(`Payment ${id} has no Stripe PaymentIntent id although it was authorised`);
}
