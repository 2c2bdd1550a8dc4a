import Stripe from "stripe";
import { UnknownOutcomeError } from "../provider.ts";

export interface StripeOptions {
  /** Returns the secret key. Called for each request, so that a new key needs no restart. */
  readonly key: () => string;
  /** Base URL of Stripe's API. */
  readonly url: string;
  /** Timeout of one request, in milliseconds. */
  readonly timeout: number;
}

/** Sends requests to Stripe with its own package, and sorts the errors into refusals and unknown outcomes. */
export class StripeClient {
  readonly #options: StripeOptions;
  #client: { readonly key: string; readonly stripe: Stripe } | undefined;

  constructor(options: StripeOptions) {
    this.#options = options;
  }

  /**
   * Sends one request.
   *
   * @throws StripeRefusal if Stripe definitely refused it, UnknownOutcomeError if the outcome isn't known.
   */
  async send<T>(action: string, request: (stripe: Stripe) => Promise<T>): Promise<T> {
    try {
      return await request(this.#connect());
    } catch (error) {
      throw toOutcomeError(action, error);
    }
  }

  /**
   * Reads an object whose id a customer gave. Returns undefined if Stripe doesn't know it.
   *
   * @throws StripeRefusal if Stripe definitely refused, also if the key isn't allowed to read such objects. UnknownOutcomeError if the
   * outcome isn't known.
   */
  async find<T>(action: string, request: (stripe: Stripe) => Promise<T>): Promise<T | undefined> {
    try {
      return await request(this.#connect());
    } catch (error) {
      if (error instanceof Stripe.errors.StripePermissionError)
        throw new StripeRefusal(action, error);
      if (!isMissing(error)) throw toOutcomeError(action, error);
      return undefined;
    }
  }

  /**
   * Sends a request that changes nothing. If Stripe refuses it, nobody knows what was done before.
   *
   * @throws UnknownOutcomeError
   */
  read<T>(action: string, request: (stripe: Stripe) => Promise<T>): Promise<T> {
    return this.send(action, request).catch((error: unknown) => {
      throw error instanceof StripeRefusal ? new UnknownOutcomeError(error.message) : error;
    });
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

function isMissing(error: unknown): boolean {
  return (
    error instanceof Stripe.errors.StripeInvalidRequestError && error.code === "resource_missing"
  );
}

/** Converts an error of Stripe's package to a StripeRefusal or an UnknownOutcomeError. Returns other errors unchanged. */
function toOutcomeError(action: string, error: unknown): unknown {
  if (!(error instanceof Stripe.errors.StripeError)) return error;
  if (error instanceof Stripe.errors.StripeAuthenticationError) {
    return new UnknownOutcomeError(
      `Stripe rejected the secret key. Put a valid key into the file named by STRIPE_SECRET_KEY_FILE${requestOf(error)}`,
    );
  }
  if (error instanceof Stripe.errors.StripePermissionError) {
    return new UnknownOutcomeError(
      `Stripe's secret key lacks the permission to ${action}. Give the restricted key that permission, or put another key into the file named by STRIPE_SECRET_KEY_FILE${requestOf(error)}`,
    );
  }
  if (isDefinite(error)) return definiteError(new StripeRefusal(action, error));
  const code = error.code === undefined ? "" : ` ${error.code}`;
  return new UnknownOutcomeError(`Stripe: ${action}: ${error.type}${code}${requestOf(error)}`);
}

/** Definite refusal by Stripe. Leaves out Stripe's message, which may quote the token. */
export class StripeRefusal extends Error {
  override readonly name = "StripeRefusal";
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

  /** Returns whether Stripe refused the value of such a parameter. */
  isAbout(parameters: RegExp): boolean {
    return this.code !== "parameter_unknown" && parameters.test(this.param ?? "");
  }
}

/** An unknown PaymentIntent is no refusal: billing stored its id, so the key must be another account's. */
function definiteError(refusal: StripeRefusal): StripeRefusal | UnknownOutcomeError {
  return refusal.code === "resource_missing" && !refusal.isAbout(TOKEN)
    ? new UnknownOutcomeError(OTHER_ACCOUNT)
    : refusal;
}

/** Parameters of a confirmation that contain the token. */
export const TOKEN = /^(payment_method|confirmation_token)($|\[)/;
const OTHER_ACCOUNT =
  "Stripe doesn't know the PaymentIntent. Put the key of the account that created it into the file named by STRIPE_SECRET_KEY_FILE";

/** Not an idempotency key that Stripe knows from another request, for example of another release: a later request has another key. */
function isDefinite(error: Stripe.errors.StripeError): boolean {
  return (
    error instanceof Stripe.errors.StripeCardError ||
    error instanceof Stripe.errors.StripeInvalidRequestError
  );
}

/** Stripe's request id for a log line: Stripe's support finds the request by it. */
function requestOf({ requestId }: Stripe.errors.StripeError): string {
  return requestId === undefined ? "" : ` (request ${requestId})`;
}
