import { createHash, randomUUID } from "node:crypto";
import { problem, type Database, type Log, type Queryable } from "@store/kit";
import { ProviderUnknown, type PaymentProvider, type RefundOutcome } from "./provider.ts";
import type { Payment, Refund, RefundRequest } from "./schemas.ts";

interface RefundsOptions {
  readonly database: Database;
  readonly provider: PaymentProvider;
  readonly log: Log;
  /** Seconds for which a call to the provider locks its refund. Afterwards (the process died) another replica can take over. */
  readonly leaseSeconds: number;
}

/** Pause before the first retry of a refund, in seconds. Each further pause is twice as long, up to LONGEST_PAUSE. */
const FIRST_PAUSE = 1;
const LONGEST_PAUSE = 300;
/** Maximum number of refunds processed in one poll. */
const BATCH = 10;

/**
 * Refunds captured payments, never more than was captured. A refund is stored and its amount reserved before the provider is
 * called. Any replica retries a refund with an unknown outcome until the outcome is known.
 */
export class Refunds {
  readonly #options: RefundsOptions;

  constructor(options: RefundsOptions) {
    this.#options = options;
  }

  /** Makes a refund and tries to carry it out. A repeated request with the same idempotency key returns the same refund in its current state. */
  async request(payment: string, request: RefundRequest, key?: string): Promise<Refund> {
    const { database } = this.#options;
    const id = await database.transaction(
      async (transaction) =>
        (await findByKey(transaction, payment, request, key)) ??
        (await this.#open(transaction, payment, request, key)),
    );
    await this.#attempt(id);
    const [row] = await database.query<RefundRow>(`${selectRefunds} WHERE id = $1`, [id]);
    if (row === undefined) throw new Error("a refund that was just stored is missing");
    return toRefund(row);
  }

  /** Retries pending refunds that are due. */
  async resume(): Promise<void> {
    const due = await this.#options.database.query<{ id: string }>(
      `SELECT refunds.id FROM refunds JOIN payments ON payments.id = payment_id
       WHERE refunds.status = 'pending' AND next_attempt_at <= now() AND provider = $1
       ORDER BY next_attempt_at LIMIT $2`,
      [this.#options.provider.name, BATCH],
    );
    for (const { id } of due) await this.#attempt(id);
  }

  async #open(
    transaction: Queryable,
    id: string,
    request: RefundRequest,
    key: string | undefined,
  ): Promise<string> {
    const [payment] = await transaction.query<RefundedPayment>(
      "SELECT status, amount, currency, refunded, provider FROM payments WHERE id = $1",
      [id],
    );
    if (payment === undefined) throw problem(404, `There is no payment ${id}.`);
    const configured = this.#options.provider.name;
    if (payment.status !== "captured" && payment.status !== "refunded") {
      throw problem(
        409,
        `Payment ${id} is ${payment.status}. Only captured payments can be refunded.`,
        {
          type: "payment-not-captured",
        },
      );
    }
    if (payment.provider !== configured) {
      throw problem(
        503,
        `Payment ${id} belongs to another provider than the configured one (${configured}).`,
      );
    }
    const { currency } = payment;
    if (request.amount !== undefined && request.amount.currency !== currency) {
      throw problem(422, `Payment ${id} is in ${currency}.`, {
        type: "currency-differs",
        errors: [{ in: "body", pointer: "/amount/currency", message: `must be ${currency}` }],
      });
    }
    const left = payment.amount - payment.refunded;
    const amount = request.amount?.amount ?? left;
    const reserved = await transaction.query(
      `UPDATE payments SET refunded = refunded + $2, updated_at = now()
       WHERE id = $1 AND status = 'captured' AND $2::bigint > 0 AND refunded + $2 <= amount RETURNING id`,
      [id, amount],
    );
    if (reserved.length === 0) {
      throw problem(
        409,
        `At most ${left} ${currency} (in minor units) of payment ${id} can still be refunded.`,
        {
          type: "refund-exceeds",
          errors: [{ in: "body", pointer: "/amount/amount", message: `must be at most ${left}` }],
        },
      );
    }
    const refund = randomUUID();
    await transaction.query(
      // No poll takes the refund before the lease of the call below would have expired.
      `INSERT INTO refunds
         (id, payment_id, idempotency_key, request_hash, amount, status, reason, next_attempt_at)
       VALUES ($1, $2, $3, $4, $5, 'pending', $6, now() + make_interval(secs => $7))`,
      [
        ...[refund, id, key, hashRequest(request), amount, request.reason],
        this.#options.leaseSeconds,
      ],
    );
    return refund;
  }

  /** Calls the provider for a pending refund that no other call has leased, and stores the outcome. */
  async #attempt(id: string): Promise<void> {
    const { database, provider, log, leaseSeconds } = this.#options;
    const lease = randomUUID();
    const [refund] = await database.query<LeasedRefund>(
      `UPDATE refunds SET lease = $2, leased_until = clock_timestamp() + make_interval(secs => $3),
         attempts = attempts + 1
       FROM payments
       WHERE refunds.id = $1 AND refunds.status = 'pending' AND payments.id = payment_id
         AND (refunds.lease IS NULL OR refunds.leased_until < clock_timestamp())
       RETURNING payment_id, refunds.amount, currency, provider_reference, attempts`,
      [id, lease, leaseSeconds],
    );
    if (refund === undefined) return;
    const { payment_id, amount, currency, provider_reference: reference, attempts } = refund;
    let outcome: RefundOutcome;
    try {
      outcome = await provider.refund({
        id,
        payment: { id: payment_id, reference },
        amount: { amount, currency },
      });
    } catch (error) {
      if (error instanceof ProviderUnknown) log.warn(`The payment provider: ${error.message}`);
      else log.error({ err: error }, "A refund failed with an error; it will be retried");
      outcome = { status: "pending" };
    }
    if (outcome.status === "pending") await this.#postpone(id, lease, attempts);
    else await this.#settle(id, lease, payment_id, outcome);
  }

  async #postpone(id: string, lease: string, attempts: number): Promise<void> {
    const pause = Math.min(FIRST_PAUSE * 2 ** (attempts - 1), LONGEST_PAUSE);
    await this.#options.database.query(
      `UPDATE refunds SET lease = NULL, leased_until = NULL, updated_at = now(),
         next_attempt_at = now() + make_interval(secs => $3)
       WHERE id = $1 AND lease = $2`,
      // Random jitter of up to half the pause spreads the retries of refunds that failed together.
      [id, lease, pause * (0.5 + Math.random() / 2)],
    );
  }

  async #settle(
    id: string,
    lease: string,
    payment: string,
    outcome: Exclude<RefundOutcome, { status: "pending" }>,
  ): Promise<void> {
    await this.#options.database.transaction(async (transaction) => {
      // Lock the payment: of two refunds that end at once, the later one must see the other to complete the payment's refund.
      await transaction.query("SELECT id FROM payments WHERE id = $1 FOR UPDATE", [payment]);
      const [settled] = await transaction.query<{ amount: number }>(
        `UPDATE refunds SET status = $3, failure = $4, lease = NULL, leased_until = NULL, updated_at = now()
         WHERE id = $1 AND lease = $2 RETURNING amount`,
        [id, lease, outcome.status, "reason" in outcome ? outcome.reason : null],
      );
      if (settled === undefined) return;
      if (outcome.status === "failed") {
        await transaction.query(
          "UPDATE payments SET refunded = refunded - $2, updated_at = now() WHERE id = $1",
          [payment, settled.amount],
        );
        return;
      }
      await transaction.query(
        `UPDATE payments SET status = 'refunded', updated_at = now()
         WHERE id = $1 AND refunded = amount
           AND NOT EXISTS (SELECT 1 FROM refunds WHERE payment_id = $1 AND status = 'pending')`,
        [payment],
      );
    });
  }
}

interface RefundedPayment {
  readonly status: Payment["status"];
  readonly amount: number;
  readonly currency: string;
  readonly refunded: number;
  readonly provider: string | null;
}

interface LeasedRefund {
  readonly payment_id: string;
  readonly amount: number;
  readonly currency: string;
  readonly provider_reference: string | null;
  readonly attempts: number;
}

/** A row of selectRefunds. In JSON aggregated by PostgreSQL, the time is a string. */
export interface RefundRow {
  readonly id: string;
  readonly payment_id: string;
  readonly amount: number;
  readonly currency: string;
  readonly status: Refund["status"];
  readonly reason: string | null;
  readonly failure: string | null;
  readonly created_at: Date | string;
}

export const selectRefunds = `
  SELECT refunds.id, payment_id, amount, status, reason, failure, created_at,
    (SELECT currency FROM payments WHERE payments.id = payment_id) AS currency
  FROM refunds`;

export function toRefund(row: RefundRow): Refund {
  return {
    id: row.id,
    payment: row.payment_id,
    amount: { amount: row.amount, currency: row.currency },
    status: row.status,
    ...(row.reason === null ? {} : { reason: row.reason }),
    ...(row.failure === null ? {} : { failure: row.failure }),
    createdAt: new Date(row.created_at).toISOString(),
  };
}

/**
 * Returns the id of the refund made with this idempotency key, or undefined. Locks the payment, so that simultaneous requests
 * with one key run one after the other.
 *
 * @throws Problem (422) if the key was used with another body.
 */
async function findByKey(
  transaction: Queryable,
  payment: string,
  request: RefundRequest,
  key: string | undefined,
): Promise<string | undefined> {
  await transaction.query("SELECT id FROM payments WHERE id = $1 FOR UPDATE", [payment]);
  if (key === undefined) return undefined;
  const [earlier] = await transaction.query<{ id: string; request_hash: Buffer }>(
    "SELECT id, request_hash FROM refunds WHERE payment_id = $1 AND idempotency_key = $2",
    [payment, key],
  );
  if (earlier === undefined || earlier.request_hash.equals(hashRequest(request)))
    return earlier?.id;
  throw problem(422, "This idempotency-key was used for another refund. Use a new key.", {
    type: "idempotency-key-reused",
    errors: [{ in: "header", pointer: "/idempotency-key", message: "was used with another body" }],
  });
}

function hashRequest({ amount, reason }: RefundRequest): Buffer {
  const content = JSON.stringify([amount?.amount, amount?.currency, reason]);
  return createHash("sha256").update(content).digest();
}
