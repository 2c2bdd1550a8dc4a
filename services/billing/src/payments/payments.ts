import { createHash, randomUUID } from "node:crypto";
import { problem, type Database, type Log, type Problem, type Queryable } from "@store/kit";
import {
  ProviderRefusal,
  UnknownOutcomeError,
  type AuthorisationOutcome,
  type PaymentIdentity,
  type PaymentProvider,
} from "../providers/provider.ts";
import {
  columns,
  hasTombstone,
  holdsLease,
  leaveTombstone,
  lockPayment,
  openPayment,
  type PaymentRow,
} from "./paymentRows.ts";
import {
  outcomeUnknown,
  paymentBusy,
  paymentCaptured,
  paymentDeclined,
  paymentDiffers,
  paymentPending,
  paymentVoided,
  providerRefused,
} from "./problems.ts";
import type { Authorisation, Payment, PaymentRequest } from "./schemas.ts";

interface PaymentsOptions {
  readonly database: Database;
  readonly provider: PaymentProvider;
  readonly log: Log;
  /** Seconds for which a call to the provider locks its payment. Afterwards (the process died) another call can take over. */
  readonly leaseSeconds: number;
}

/**
 * Authorises, captures and voids payments, once for each id. Before the provider is called, the payment is stored and leased: a
 * repeated request to any replica gets 503 while the lease is held, and the outcome afterwards. No transaction is open during a
 * call to the provider.
 */
export class Payments {
  readonly #options: PaymentsOptions;

  constructor(options: PaymentsOptions) {
    this.#options = options;
  }

  /** Holds the amount on the customer's account or returns the reason for declining it. A repeated request gets the same answer. */
  async authorise(id: string, request: PaymentRequest): Promise<Authorisation> {
    const { database, provider } = this.#options;
    const tokenHash = hashToken(id, request.token);
    const claim = await database.transaction(async (transaction) => {
      const known = await lockPayment(transaction, id);
      if (known !== undefined && !matchesRequest(known, request, tokenHash))
        throw paymentDiffers(id);
      const payment =
        known ?? (await openPayment(transaction, { id, request, tokenHash, provider }));
      return this.#claim(transaction, payment, ["pending"]);
    });
    const payment = await this.#finish(claim, (reference) =>
      provider.authorise({
        ...request,
        id,
        reference,
        saveReference: (newReference) => this.#saveReference(claim, newReference),
      }),
    );
    if (payment.status === "voided") throw paymentVoided(id);
    if (payment.status === "declined")
      return { id, status: "declined", reason: payment.decline_reason ?? "declined" };
    return { id, status: payment.status === "authorised" ? "authorised" : "captured" };
  }

  /** Captures the whole authorised amount, once. */
  async capture(id: string): Promise<"captured"> {
    const { database, provider } = this.#options;
    const claim = await database.transaction(async (transaction) => {
      const known = await lockPayment(transaction, id);
      if (known !== undefined) return this.#claim(transaction, known, ["authorised"]);
      if (await hasTombstone(transaction, id)) throw paymentVoided(id);
      throw problem(404, `There is no payment ${id}.`);
    });
    const { status } = await this.#finish(claim, async (reference) => ({
      status: await provider.capture({ id, reference }),
    }));
    if (status === "voided") throw paymentVoided(id);
    if (status === "declined") throw paymentDeclined(id);
    if (status === "pending") throw paymentPending(id);
    return "captured";
  }

  /** Releases the authorised amount. An unknown id gets a tombstone, which refuses a later authorisation under it. */
  async void(id: string): Promise<"voided" | "declined"> {
    const { database, provider } = this.#options;
    const claim = await database.transaction(async (transaction) => {
      const known = await lockPayment(transaction, id);
      if (known !== undefined) return this.#claim(transaction, known, ["pending", "authorised"]);
      await leaveTombstone(transaction, id);
      return undefined;
    });
    if (claim === undefined) return "voided";
    const { status } = await this.#finish(claim, async (reference) => ({
      status: await provider.void({ id, reference }),
    }));
    if (status === "voided" || status === "declined") return status;
    throw paymentCaptured(id);
  }

  /**
   * Takes the payment's lease if its status allows the next step.
   *
   * @throws Problem (503) while another call holds the lease.
   */
  async #claim(
    transaction: Queryable,
    payment: PaymentRow,
    allowedStatuses: readonly Payment["status"][],
  ): Promise<Claim> {
    if (!allowedStatuses.includes(payment.status)) return { payment, lease: undefined };
    if (payment.provider !== this.#options.provider.name)
      throw this.#belongsToOtherProvider(payment);
    const lease = randomUUID();
    const leased = await transaction.query(
      `UPDATE payments SET lease = $2, leased_until = clock_timestamp() + make_interval(secs => $3)
       WHERE id = $1 AND (lease IS NULL OR leased_until < clock_timestamp()) RETURNING id`,
      [payment.id, lease, this.#options.leaseSeconds],
    );
    if (leased.length === 0) throw paymentBusy(payment.id);
    return { payment, lease };
  }

  /** Calls the provider if a step is left to do, and stores the outcome. */
  async #finish(
    { payment, lease }: Claim,
    call: (reference: PaymentIdentity["reference"]) => Promise<AuthorisationOutcome>,
  ): Promise<PaymentRow> {
    if (lease === undefined) return payment;
    const { database, log } = this.#options;
    let outcome: AuthorisationOutcome;
    try {
      outcome = await call(payment.provider_reference);
    } catch (error) {
      // Release the lease: otherwise the next call has to wait until it expires, as it does if this query fails.
      await database
        .query(`UPDATE payments SET lease = NULL, leased_until = NULL WHERE ${holdsLease}`, [
          payment.id,
          lease,
        ])
        .catch((failure: unknown) =>
          log.warn(
            { err: failure },
            "Could not release the lease of a payment; it expires by itself",
          ),
        );
      throw this.#problemOf(payment, error);
    }
    if ("refusal" in outcome) log.error(`The payment provider: ${outcome.refusal}`);
    const [settled] = await database.query<PaymentRow>(
      `UPDATE payments SET status = $3, decline_reason = $4, lease = NULL, leased_until = NULL, updated_at = now()
       WHERE ${holdsLease} RETURNING ${columns}`,
      [payment.id, lease, outcome.status, "reason" in outcome ? outcome.reason : null],
    );
    // The lease expired and another call has taken over. The provider gives it the same outcome.
    if (settled === undefined) throw paymentBusy(payment.id);
    return settled;
  }

  /** Stores the provider's id of a payment and renews the lease. */
  async #saveReference({ payment, lease }: Claim, reference: string): Promise<void> {
    const saved = await this.#options.database.query(
      `UPDATE payments SET provider_reference = $3, leased_until = clock_timestamp() + make_interval(secs => $4)
       WHERE ${holdsLease} RETURNING id`,
      [payment.id, lease, reference, this.#options.leaseSeconds],
    );
    if (saved.length === 0) throw paymentBusy(payment.id);
  }

  /** Returns the answer to a call for which the provider threw an error. */
  #problemOf({ id }: PaymentRow, error: unknown): unknown {
    if (error instanceof UnknownOutcomeError) return this.#outcomeUnknown(error);
    if (!(error instanceof ProviderRefusal)) return error;
    this.#options.log.error(error.message);
    return providerRefused(id, error);
  }

  #outcomeUnknown(error: UnknownOutcomeError): Problem {
    this.#options.log.warn(`The payment provider: ${error.message}`);
    return outcomeUnknown();
  }

  #belongsToOtherProvider({ id, provider }: PaymentRow): Problem {
    const configured = this.#options.provider.name;
    this.#options.log.error(
      `Can't continue a payment of provider ${String(provider)} while PAYMENT_PROVIDER is ${configured}. Set PAYMENT_PROVIDER back until its payments are finished`,
    );
    return problem(503, `Payment ${id} belongs to another provider than the configured one.`, {
      headers: { "retry-after": "60" },
    });
  }
}

interface Claim {
  readonly payment: PaymentRow;
  /** Id of the lease that this call holds. Undefined if no step is left to do. */
  readonly lease: string | undefined;
}

/** Hash stored instead of the token. The payment's id is the salt, so that equal tokens have different hashes. */
function hashToken(id: string, token: string): Buffer {
  return createHash("sha256").update(`${id} ${token}`).digest();
}

function matchesRequest(
  payment: PaymentRow,
  { order, amount }: PaymentRequest,
  tokenHash: Buffer,
): boolean {
  return (
    payment.order_id === order &&
    payment.amount === amount.amount &&
    payment.currency === amount.currency &&
    (payment.token_hash === null || payment.token_hash.equals(tokenHash))
  );
}
