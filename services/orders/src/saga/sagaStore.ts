import { randomUUID } from "node:crypto";
import type { Database } from "@store/kit";
import type { OrderData } from "./calls.ts";
import type { Step } from "./saga.ts";
import { changeStatus } from "../orders/changeStatus.ts";

/** An order at the time at which a worker claimed it. */
export interface ClaimedOrder extends OrderData, Progress {
  /** ID of this claim. Every write for the order requires it. */
  readonly lease: string;
}

/** Progress of an order. */
export interface Progress {
  readonly step: Step;
  /** Reason for the cancellation; null if the order isn't being cancelled. */
  readonly reason: string | null;
  /** Number of calls without a definite answer for the step under which the order is saved. */
  readonly attempts: number;
  readonly lastError: string | null;
}

/** Statistics of the orders at a step. */
export interface StepStats {
  readonly step: string;
  readonly orders: number;
  /** Seconds since the oldest of them was placed. */
  readonly age: number;
  /** Longest time at this step, in seconds. */
  readonly standing: number;
}

/**
 * The sagas in the database. A write for an order succeeds only while no other worker has claimed it since; the methods return
 * whether it did.
 */
export class SagaStore {
  readonly #database: Database;
  readonly #leaseMs: number;

  /** @param leaseMs Duration of a lease, in milliseconds. */
  constructor(database: Database, leaseMs: number) {
    this.#database = database;
    this.#leaseMs = leaseMs;
  }

  /** Claims up to `count` due orders, the longest overdue first. */
  async claim(count: number): Promise<ClaimedOrder[]> {
    const lease = randomUUID();
    const rows = await this.#database.query<ClaimedRow>(claimDue, [count, lease, this.#leaseMs]);
    return rows.map(({ amount, currency, step, ...row }) => ({
      ...row,
      step: step === "reserve" ? "validate" : step,
      lease,
      total: { amount, currency },
    }));
  }

  /** Renews leases. Returns the renewed ones as lease + order ID. */
  async renew(orders: readonly ClaimedOrder[]): Promise<ReadonlySet<string>> {
    const rows = await this.#database.query<{ lease: string; id: string }>(renewLeases, [
      orders.map(({ id }) => id),
      orders.map(({ lease }) => lease),
      this.#leaseMs,
    ]);
    return new Set(rows.map(({ id, lease }) => lease + id));
  }

  /** Saves the current step and deletes the payment token. */
  async saveStep({ id, lease }: ClaimedOrder, { step, reason }: Progress): Promise<boolean> {
    return this.#write(updateStep, [id, lease, step, reason]);
  }

  /** Gives up the lease; the order is due again after `pauseMs` milliseconds. */
  async reschedule(order: ClaimedOrder, progress: Progress, pauseMs: number): Promise<boolean> {
    const { step, reason, attempts, lastError } = progress;
    return this.#write(rescheduleOrder, [
      order.id,
      order.lease,
      savedStep(step),
      reason,
      attempts,
      lastError,
      pauseMs,
    ]);
  }

  /** Sets the status needs_attention: staff must decide. */
  async escalate({ id, lease }: ClaimedOrder, progress: Progress): Promise<boolean> {
    const { step, reason, attempts, lastError } = progress;
    return this.#write(escalateOrder, [
      "needs_attention",
      `${step}_refused`,
      id,
      lease,
      savedStep(step),
      reason,
      attempts,
      lastError,
    ]);
  }

  /** Ends the saga with the final status. */
  async end(
    { id, lease }: ClaimedOrder,
    status: "confirmed" | "cancelled",
    reason: string | null,
  ): Promise<boolean> {
    return this.#write(endSaga, [status, reason, id, lease]);
  }

  /** Reads the statistics of each step that has orders. */
  async readStepStats(): Promise<StepStats[]> {
    return this.#database.query<StepStats>(selectStepStats);
  }

  async #write(sql: string, values: readonly unknown[]): Promise<boolean> {
    return (await this.#database.query(sql, values)).length > 0;
  }
}

/**
 * Returns the step under which an order is saved. An order at the validation is saved at the reservation, because the previous release
 * doesn't know the validation and would hand the order to staff. In return, an order at the reservation is validated again.
 */
export function savedStep(step: Step): Step {
  return step === "validate" ? "reserve" : step;
}

interface ClaimedRow extends Omit<ClaimedOrder, "lease" | "total"> {
  readonly amount: number;
  readonly currency: string;
}

// MATERIALIZED: evaluated once; otherwise more rows than the limit might be locked.
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

const updateStep = `
  WITH saga AS (
    UPDATE sagas SET step = $3, reason = $4, attempts = 0, last_error = NULL
    WHERE order_id = $1 AND lease = $2 RETURNING order_id
  )
  UPDATE orders SET payment_token = NULL FROM saga WHERE id = order_id RETURNING id`;

const rescheduleOrder = `
  UPDATE sagas SET step = $3, reason = $4, attempts = $5, last_error = $6, lease = NULL,
    due_at = now() + $7 * interval '1 millisecond'
  WHERE order_id = $1 AND lease = $2 RETURNING order_id`;

const escalateOrder = changeStatus(`
  UPDATE sagas SET step = $5, reason = $6, attempts = $7, last_error = $8, lease = NULL, due_at = NULL
  WHERE order_id = $3 AND lease = $4 RETURNING order_id`);

const endSaga = changeStatus(
  "DELETE FROM sagas WHERE order_id = $3 AND lease = $4 RETURNING order_id",
);

// An order with an alert about its payment waits for staff, too.
const selectStepStats = `
  SELECT CASE WHEN due_at IS NULL THEN 'needs_attention' ELSE step END AS step,
    count(*) AS orders, extract(epoch FROM now() - min(since))::float8 AS age,
    extract(epoch FROM now() - min(step_since))::float8 AS standing
  FROM (
    SELECT due_at, step, since, step_since FROM sagas
    UNION ALL
    SELECT NULL, NULL, placed_at, min(at) FROM payment_alerts JOIN orders ON orders.id = order_id
    WHERE settled_at IS NULL AND NOT EXISTS (SELECT FROM sagas WHERE sagas.order_id = orders.id)
    GROUP BY orders.id
  ) AS waiting
  GROUP BY 1`;
