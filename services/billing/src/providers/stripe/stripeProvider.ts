import type Stripe from "stripe";
import {
  ProviderRefusal,
  UnknownOutcomeError,
  type AuthorisationOutcome,
  type AuthorisationRequest,
  type PaymentIdentity,
  type PaymentProvider,
  type ProviderRefundRequest,
  type RefundOutcome,
  type ReportPage,
  type ReportQuery,
  type ValidationOutcome,
} from "../provider.ts";
import type { PaymentMethods } from "../../methods/schemas.ts";
import { stripeCurrencies, toStripeAmount } from "./amounts.ts";
import { DECLINED, declined, outcomeOf, outcomeOfRefund, requireOutcome } from "./outcomes.ts";
import {
  isLapsed,
  refusalOf,
  refusedConfirmation,
  refusedCreation,
  refusedRefund,
} from "./refusals.ts";
import { EVENT_TYPES, fromUnix, reportOf } from "./reports.ts";
import { StripeClient, StripeRefusal, type StripeOptions } from "./stripeClient.ts";
import { testMethods } from "./testMethods.ts";
import { validateMethod } from "./validateMethod.ts";

/**
 * Payment provider Stripe. Stripe forgets an idempotency key after a day, but billing's ids never expire. A payment is therefore
 * created as an unconfirmed PaymentIntent, which moves no money, and its id is stored before the confirmation. From then on the
 * PaymentIntent's status tells what was done, and Stripe refuses to repeat a step. A PaymentIntent whose id got lost stays
 * unconfirmed.
 */
export class StripeProvider implements PaymentProvider {
  readonly name = "stripe";
  readonly #key: StripeOptions["key"];
  readonly #client: StripeClient;

  constructor(options: StripeOptions) {
    this.#key = options.key;
    this.#client = new StripeClient(options);
  }

  /** Returns Stripe's test cards with a test key. With a live key there are none: a real card's number may be entered only into Stripe's own form. */
  paymentMethods(): PaymentMethods {
    const isTest = /^(sk|rk)_test_/.test(this.#key());
    return {
      provider: this.name,
      movesMoney: !isTest,
      methods: isTest ? testMethods : [],
      currencies: stripeCurrencies,
    };
  }

  validate(token: string): Promise<ValidationOutcome> {
    return validateMethod(this.#client, token);
  }

  async authorise(request: AuthorisationRequest): Promise<AuthorisationOutcome> {
    const { reference, token, saveReference } = request;
    if (reference !== null) {
      const earlier = outcomeOf(await this.#retrieve(reference));
      return this.#endDeclined(reference, earlier ?? (await this.#confirm(reference, token)));
    }
    const created = await this.#create(request);
    if (typeof created !== "string") return created;
    await saveReference(created);
    return this.#endDeclined(created, await this.#confirm(created, token));
  }

  async capture({ id, reference }: PaymentIdentity): Promise<"captured" | "voided"> {
    const intent = requireReference(id, reference);
    let status: Stripe.PaymentIntent.Status;
    try {
      status = await this.#change(intent, "capture", (stripe) =>
        stripe.paymentIntents.capture(intent),
      );
    } catch (error) {
      if (!(error instanceof StripeRefusal)) throw error;
      if (!isLapsed(error)) throw refusalOf("capture", error);
      status = "requires_payment_method";
    }
    if (status === "succeeded") return "captured";
    // Stripe cancels a PaymentIntent that isn't captured within a week.
    if (status === "canceled") return "voided";
    if (status !== "requires_payment_method") throw new ProviderRefusal("capture", status);
    // The authorisation has ended, but the PaymentIntent could be confirmed again.
    return this.#cancel(intent, "capture");
  }

  async void({ reference }: PaymentIdentity): Promise<"voided" | "captured"> {
    // A PaymentIntent is confirmed only after its id was stored.
    return reference === null ? "voided" : this.#cancel(reference, "void");
  }

  async refund({ id, payment, amount }: ProviderRefundRequest): Promise<RefundOutcome> {
    const intent = requireReference(payment.id, payment.reference);
    const stripeAmount = toStripeAmount(amount);
    if (stripeAmount === undefined) return { status: "failed", reason: INEXPRESSIBLE };
    const earlier = await this.#findRefund(intent, id);
    if (earlier !== undefined) return outcomeOfRefund(earlier);
    try {
      const refund = await this.#client.send("refund", (stripe) =>
        stripe.refunds.create(
          { payment_intent: intent, amount: stripeAmount, metadata: { refund: id } },
          { idempotencyKey: id },
        ),
      );
      return outcomeOfRefund(refund);
    } catch (error) {
      if (!(error instanceof StripeRefusal)) throw error;
      return refusedRefund(error);
    }
  }

  /** Reads a page of Stripe's events, which Stripe lists for 30 days. */
  async reports({ since, after }: ReportQuery): Promise<ReportPage> {
    const page = await this.#client.read("list events", (stripe) =>
      stripe.events.list({
        types: EVENT_TYPES,
        limit: 100,
        ...(since === undefined ? {} : { created: { gte: Math.floor(since.getTime() / 1_000) } }),
        ...(after === undefined ? {} : { starting_after: after }),
      }),
    );
    const items = page.data.map(reportOf).filter((report) => report !== undefined);
    const [first] = page.data;
    const newest = first && fromUnix(first.created);
    return { items, newest, next: page.has_more ? page.data.at(-1)?.id : undefined };
  }

  /** Finds a refund by our id in its metadata: Stripe doesn't refuse a second refund by status and forgets the idempotency key after a day. */
  #findRefund(intent: string, id: string): Promise<Stripe.Refund | undefined> {
    return this.#client.read("list refunds", async (stripe) => {
      for await (const refund of stripe.refunds.list({ payment_intent: intent, limit: 100 }))
        if (refund.metadata?.["refund"] === id) return refund;
      return undefined;
    });
  }

  /** Creates the PaymentIntent. Returns its id, or a decline if Stripe refuses: asked again and again, it would refuse again. */
  async #create({ id, order, amount }: AuthorisationRequest) {
    const stripeAmount = toStripeAmount(amount);
    if (stripeAmount === undefined) return declined(INEXPRESSIBLE);
    // A retry within the same ten minutes gets the same PaymentIntent. Not for longer: Stripe repeats its answer to a key, even a failure.
    const idempotencyKey = `${id}-${Math.floor(Date.now() / TEN_MINUTES)}`;
    try {
      const intent = await this.#client.send("create", (stripe) =>
        stripe.paymentIntents.create(
          {
            amount: stripeAmount,
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
      if (!(error instanceof StripeRefusal)) throw error;
      return refusedCreation(error);
    }
  }

  async #confirm(intent: string, token: string): Promise<AuthorisationOutcome> {
    try {
      const confirmed = await this.#client.send("confirm", (stripe) =>
        stripe.paymentIntents.confirm(intent, {
          ...paymentMethod(token),
          // The customer can't authenticate with the bank here: the payment is made in the background.
          error_on_requires_action: true,
        }),
      );
      return requireOutcome(confirmed);
    } catch (error) {
      if (!(error instanceof StripeRefusal)) throw error;
      // Another call has confirmed or cancelled the PaymentIntent.
      if (error.code === UNEXPECTED_STATE) return requireOutcome(await this.#retrieve(intent));
      return refusedConfirmation(error);
    }
  }

  /**
   * Cancels the PaymentIntent if the outcome is a decline, because Stripe lets a declined one be confirmed again: a call that was delayed
   * for longer than its lease could hold money of a payment that counts as declined.
   */
  async #endDeclined(intent: string, outcome: AuthorisationOutcome): Promise<AuthorisationOutcome> {
    if (outcome.status !== "declined") return outcome;
    const status = await this.#change(intent, "cancel", (stripe) =>
      stripe.paymentIntents.cancel(intent, { cancellation_reason: DECLINED }),
    ).catch((error: unknown) => {
      // For example because the account is restricted: Stripe then refuses to confirm, too.
      if (error instanceof StripeRefusal) return "canceled";
      throw error;
    });
    if (status === "canceled") return outcome;
    throw new UnknownOutcomeError(`cancel: the declined PaymentIntent is ${status}`);
  }

  /** Cancels a PaymentIntent for an action, unless it is captured. */
  async #cancel(intent: string, action: "capture" | "void"): Promise<"voided" | "captured"> {
    const status = await this.#change(intent, "cancel", (stripe) =>
      stripe.paymentIntents.cancel(intent),
    ).catch((error: unknown) => {
      throw error instanceof StripeRefusal ? refusalOf(action, error) : error;
    });
    if (status === "canceled") return "voided";
    if (status === "succeeded") return "captured";
    throw new UnknownOutcomeError(`cancel: the PaymentIntent is ${status}`);
  }

  /** Changes a PaymentIntent. Returns its status afterwards, also if the change was made before or isn't possible any more. */
  async #change(
    intent: string,
    action: string,
    change: (stripe: Stripe) => Promise<Stripe.PaymentIntent>,
  ): Promise<Stripe.PaymentIntent.Status> {
    try {
      return (await this.#client.send(action, change)).status;
    } catch (error) {
      if (!(error instanceof StripeRefusal) || error.code !== UNEXPECTED_STATE) throw error;
      return (await this.#retrieve(intent)).status;
    }
  }

  #retrieve(intent: string): Promise<Stripe.PaymentIntent> {
    return this.#client.read("retrieve", (stripe) => stripe.paymentIntents.retrieve(intent));
  }
}

const TEN_MINUTES = 600_000;
/** Reason for refusing an amount that Stripe can't express in its units. */
const INEXPRESSIBLE = "amount_not_supported";
const UNEXPECTED_STATE = "payment_intent_unexpected_state";

/** Parameter for the token that the browser got from Stripe: a ConfirmationToken or a PaymentMethod. */
function paymentMethod(token: string): Stripe.PaymentIntentConfirmParams {
  return token.startsWith("ctoken_") ? { confirmation_token: token } : { payment_method: token };
}

function requireReference(id: string, reference: string | null): string {
  if (reference !== null) return reference;
  throw new Error(`Payment ${id} has no Stripe PaymentIntent id although it was authorised`);
}
