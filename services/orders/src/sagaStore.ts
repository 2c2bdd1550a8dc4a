import { randomUUID } from "node:crypto";
import type { Database } from "@store/kit";
import type { OrderFacts } from "./calls.ts";
import type { Step } from "./saga.ts";
import { changeStatus } from "./status.ts";

/** An order that a worker has claimed, as it was then. */
export interface ClaimedOrder extends OrderFacts, Progress {
  /** Of this claim. All that is written for the order is written under it. */
  readonly lease: string;
}

/** How far an order is. */
export interface Progress {
  readonly step: Step;
  /** Why it is being undone; null when it isn't. */
  readonly reason: string | null;
  /** How often the step was asked for without a definite answer. */
  readonly attempts: number;
  readonly lastError: string | null;
}

/** The orders at a step. */
export interface Census {
  readonly step: string;
  readonly orders: number;
  /** How many seconds ago the oldest of them was placed. */
  readonly age: number;
  /** For how many seconds one of them has stood there, the longest. */
  readonly standing: number;
}

/**
 * The sagas in the database. What is written for an order is written only as long as nobody has claimed it after us, and the
 * methods tell whether it was.
 */
export class SagaStore {
  readonly #database: Database;
  readonly #leaseMs: number;

  /** @param leaseMs For how long a claim holds, in milliseconds. */
  constructor(database: Database, leaseMs: number) {
    this.#database = database;
    this.#leaseMs = leaseMs;
  }

  /** Takes the orders that are due, those that have waited longest first, and no more than `count`. */
  async claim(count: number): Promise<ClaimedOrder[]> {
    const lease = randomUUID();
    const rows = await this.#database.query<ClaimedRow>(claimDue, [count, lease, this.#leaseMs]);
    return rows.map(({ amount, currency, ...row }) => ({
      ...row,
      lease,
      total: { amount, currency },
    }));
  }

  /** Holds them for longer. Gives those that are still ours, by lease and id written together. */
  async renew(orders: readonly ClaimedOrder[]): Promise<ReadonlySet<string>> {
    const rows = await this.#database.query<{ lease: string; id: string }>(renewLeases, [
      orders.map(({ id }) => id),
      orders.map(({ lease }) => lease),
      this.#leaseMs,
    ]);
    return new Set(rows.map(({ id, lease }) => lease + id));
  }

  /** Keeps that it is at this step now, and forgets the payment's token. */
  async keep({ id, lease }: ClaimedOrder, { step, reason }: Progress): Promise<boolean> {
    return this.#written(keepStep, [id, lease, step, reason]);
  }

  /** Gives it back, to be taken again after `pauseMs`. */
  async park(order: ClaimedOrder, progress: Progress, pauseMs: number): Promise<boolean> {
    const { step, reason, attempts, lastError } = progress;
    return this.#written(parkOrder, [
      order.id,
      order.lease,
      step,
      reason,
      attempts,
      lastError,
      pauseMs,
    ]);
  }

  /** Leaves it to a person. */
  async leave({ id, lease }: ClaimedOrder, progress: Progress): Promise<boolean> {
    const { step, reason, attempts, lastError } = progress;
    return this.#written(leaveOrder, [
      "needs_attention",
      `${step}_refused`,
      id,
      lease,
      step,
      reason,
      attempts,
      lastError,
    ]);
  }

  /** Ends it. */
  async end(
    { id, lease }: ClaimedOrder,
    status: "confirmed" | "cancelled",
    reason: string | null,
  ): Promise<boolean> {
    return this.#written(endSaga, [status, reason, id, lease]);
  }

  /** Of the steps at which there are orders. */
  async census(): Promise<Census[]> {
    return this.#database.query<Census>(countSagas);
  }

  async #written(sql: string, values: readonly unknown[]): Promise<boolean> {
    return (await this.#database.query(sql, values)).length > 0;
  }
}

interface ClaimedRow extends Omit<ClaimedOrder, "lease" | "total"> {
  readonly amount: number;
  readonly currency: string;
}

// MATERIALIZED: chosen once, or more than the limit might be locked.
const claimDue = `
  WITH due AS MATERIALIZED (
    SELECT order_id FROM sagas WHERE due_at <= now()
    ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED
  ), claimed AS (
    UPDATE sagas SET lease = $2, due_at = now() + $3 * interval '1 millisecond'
    FROM due WHERE sagas.order_id = due.order_id
    RETURNING sagas.*
  )
  SELECT id, request_id AS "requestId", traceparent, customer, payment_token AS "paymentToken",
    total_amount AS amount, currency, step, claimed.reason, attempts, last_error AS "lastError",
    (SELECT json_agg(json_build_object('sku', sku, 'name', name, 'quantity', quantity) ORDER BY line)
       FROM order_items WHERE order_items.order_id = id) AS items
  FROM claimed JOIN orders ON id = claimed.order_id`;

const renewLeases = `
  UPDATE sagas SET due_at = now() + $3 * interval '1 millisecond'
  FROM unnest($1::uuid[], $2::uuid[]) AS held (id, token)
  WHERE order_id = held.id AND lease = held.token
  RETURNING order_id AS id, lease`;

const keepStep = `
  WITH saga AS (
    UPDATE sagas SET step = $3, reason = $4, attempts = 0, last_error = NULL
    WHERE order_id = $1 AND lease = $2 RETURNING order_id
  )
  UPDATE orders SET payment_token = NULL FROM saga WHERE id = order_id RETURNING id`;

const parkOrder = `
  UPDATE sagas SET step = $3, reason = $4, attempts = $5, last_error = $6, lease = NULL,
    due_at = now() + $7 * interval '1 millisecond'
  WHERE order_id = $1 AND lease = $2 RETURNING order_id`;

const leaveOrder = changeStatus(`
  UPDATE sagas SET step = $5, reason = $6, attempts = $7, last_error = $8, lease = NULL, due_at = NULL
  WHERE order_id = $3 AND lease = $4 RETURNING order_id`);

const endSaga = changeStatus(
  "DELETE FROM sagas WHERE order_id = $3 AND lease = $4 RETURNING order_id",
);

const countSagas = `
  SELECT CASE WHEN due_at IS NULL THEN 'needs_attention' ELSE step END AS step,
    count(*) AS orders, extract(epoch FROM now() - min(since))::float8 AS age,
    extract(epoch FROM now() - min(step_since))::float8 AS standing
  FROM sagas GROUP BY 1`;
