import { randomUUID } from "node:crypto";
import type { Database, Log } from "@store/kit";
import {
  UnknownOutcomeError,
  type PaymentProvider,
  type RefundOutcome,
} from "../providers/provider.ts";
import { recordCompleteRefund } from "../changes/paymentChanges.ts";
import { lockPaymentRow } from "../payments/paymentRows.ts";
import { releaseAmount } from "./failedRefunds.ts";
import { openRefund, openRestRefund } from "./openRefund.ts";
import { selectRefunds, toRefund, type RefundRow } from "./refundRows.ts";
import type { Refund, RefundRequest } from "./schemas.ts";

interface RefundsOptions {
  readonly database: Database;
  readonly provider: PaymentProvider;
  readonly log: Log;
  /** Seconds for which a call to the provider locks its refund. Afterwards (the process died) another replica can take over. */
  readonly leaseSeconds: number;
}

interface RequestedRefund {
  /** Id of the payment. */
  readonly payment: string;
  readonly request: RefundRequest;
  /** Idempotency key. */
  readonly key: string;
  /** Name of the staff token. */
  readonly staff: string;
}

/** Delay before the first retry of a refund, in seconds. Each further delay is twice as long, up to LONGEST_DELAY. */
const FIRST_DELAY = 1;
const LONGEST_DELAY = 300;
/** Idempotency key of the refund of a cancelled order. */
const REST_KEY = "order-cancelled";
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
  async request({ payment, request, key, staff }: RequestedRefund): Promise<Refund> {
    const { database, provider, leaseSeconds } = this.#options;
    const id = await database.transaction((transaction) =>
      openRefund(transaction, {
        payment,
        request,
        idempotencyKey: key,
        requestedBy: staff,
        provider: provider.name,
        // A poll must not retry the refund before the lease of the call below would have expired.
        firstRetrySeconds: leaseSeconds,
      }),
    );
    await this.#attempt(id);
    const [row] = await database.query<RefundRow>(`${selectRefunds} WHERE id = $1`, [id]);
    if (row === undefined) throw new Error("a refund that was just stored is missing");
    return toRefund(row);
  }

  /**
   * Refunds everything that isn't refunded yet, once. The refund may still be pending: it is retried until it is carried out. Its failure
   * shows in the payment, the log and the metrics: the cancelled order doesn't wait for it, and staff refund the rest in the office.
   */
  async requestRest(payment: string): Promise<"refunded"> {
    const { database, provider, leaseSeconds } = this.#options;
    const id = await database.transaction((transaction) =>
      openRestRefund(transaction, {
        payment,
        idempotencyKey: REST_KEY,
        requestedBy: undefined,
        provider: provider.name,
        firstRetrySeconds: leaseSeconds,
      }),
    );
    if (id !== undefined) await this.#attempt(id);
    return "refunded";
  }

  /** Retries pending refunds that are due. */
  async retryDue(): Promise<void> {
    const due = await this.#options.database.query<{ id: string }>(
      `SELECT refunds.id FROM refunds JOIN payments ON payments.id = payment_id
       WHERE refunds.status = 'pending' AND next_attempt_at <= now() AND provider = $1
       ORDER BY next_attempt_at LIMIT $2`,
      [this.#options.provider.name, BATCH],
    );
    for (const { id } of due) await this.#attempt(id);
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
      if (error instanceof UnknownOutcomeError) log.warn(`The payment provider: ${error.message}`);
      else log.error({ err: error }, "A refund failed with an error; it will be retried");
      outcome = { status: "pending" };
    }
    if (outcome.status === "failed") this.#logFailure(id, payment_id, outcome);
    if (outcome.status === "pending")
      await this.#postpone({ id, lease, payment: payment_id, attempts });
    else await this.#settle(id, lease, payment_id, outcome);
  }

  /** Logs a failed refund for staff: nobody waits for the refund of a cancelled order, and it isn't retried. */
  #logFailure(refund: string, payment: string, { reason, refusal = reason }: FailedRefund): void {
    this.#options.log.error(
      { payment, refund, reason },
      `A refund failed, and isn't retried. The payment provider: ${refusal}`,
    );
  }

  async #postpone({ id, lease, payment, attempts }: OpenAttempt): Promise<void> {
    const delay = Math.min(FIRST_DELAY * 2 ** (attempts - 1), LONGEST_DELAY);
    await this.#options.database.transaction(async (transaction) => {
      await lockPaymentRow(transaction, payment);
      const postponed = await transaction.query(
        `UPDATE refunds SET lease = NULL, leased_until = NULL, updated_at = now(),
           next_attempt_at = now() + make_interval(secs => $3)
         WHERE id = $1 AND lease = $2 RETURNING id`,
        // Random jitter of up to half the delay spreads the retries of refunds that failed together.
        [id, lease, delay * (0.5 + Math.random() / 2)],
      );
      if (postponed.length > 0) await recordCompleteRefund(transaction, payment);
    });
  }

  async #settle(
    id: string,
    lease: string,
    payment: string,
    outcome: Exclude<RefundOutcome, { status: "pending" }>,
  ): Promise<void> {
    await this.#options.database.transaction(async (transaction) => {
      // The later one of two refunds that end at once must see the other to complete the payment's refund.
      await lockPaymentRow(transaction, payment);
      const [settled] = await transaction.query<{ amount: number }>(
        `UPDATE refunds SET status = $3, failure = $4, lease = NULL, leased_until = NULL, updated_at = now()
         WHERE id = $1 AND lease = $2 RETURNING amount`,
        [id, lease, outcome.status, "reason" in outcome ? outcome.reason : null],
      );
      if (settled === undefined) return;
      if (outcome.status === "failed") {
        const failed = { refund: id, payment, reason: outcome.reason };
        await releaseAmount(transaction, failed, settled.amount);
        return;
      }
      await transaction.query(
        `UPDATE payments SET status = 'refunded', updated_at = now()
         WHERE id = $1 AND refunded = amount
           AND NOT EXISTS (SELECT 1 FROM refunds WHERE payment_id = $1 AND status = 'pending')`,
        [payment],
      );
      await recordCompleteRefund(transaction, payment);
    });
  }
}

/** An attempt whose outcome isn't known yet. */
interface OpenAttempt {
  readonly id: string;
  readonly lease: string;
  readonly payment: string;
  readonly attempts: number;
}

type FailedRefund = Extract<RefundOutcome, { status: "failed" }>;

interface LeasedRefund {
  readonly payment_id: string;
  readonly amount: number;
  readonly currency: string;
  readonly provider_reference: string | null;
  readonly attempts: number;
}
