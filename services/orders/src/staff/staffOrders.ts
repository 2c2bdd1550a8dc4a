import type { Database } from "@store/kit";
import { changeStatus } from "../orders/changeStatus.ts";
import type { OrderStatus } from "../orders/schemas.ts";
import { restoreStatus, settleAlerts } from "../payments/paymentAlerts.ts";
import {
  cancelConfirmed,
  cancelInProgress,
  firstCancellationStep,
  lockSaga,
} from "../saga/cancellation.ts";
import type { PaymentAlert, StaffAction, StaffOrder, StaffOrderPage } from "./schemas.ts";

interface StaffOrderFilter {
  /** ID of the only order. @default all */
  readonly order?: string | undefined;
  /** @default all */
  readonly status?: OrderStatus | undefined;
  /** ID of the last order of the previous page. Defaults to the first page. */
  readonly after?: string | undefined;
  /** Maximum number of orders on the page. */
  readonly limit: number;
}

/** The staff's view of the orders in the database, and the changes that staff make. */
export class StaffOrders {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Reads a page of orders, newest first. */
  async list({ order, status, after, limit }: StaffOrderFilter): Promise<StaffOrderPage> {
    // One more than shown, to know whether there is a next page.
    const values: unknown[] = [limit + 1];
    // A separate statement per set of conditions, so that each can use its own index.
    const conditions = [
      order !== undefined && `orders.id = $${values.push(order)}`,
      status !== undefined && `status = $${values.push(status)}`,
      after !== undefined &&
        `(placed_at, id) < (SELECT placed_at, id FROM orders WHERE id = $${values.push(after)})`,
    ].filter((condition) => condition !== false);
    const rows = await this.#database.query<StaffRow>(selectOrders(conditions), values);
    const items = rows.slice(0, limit).map(toStaffOrder);
    return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
  }

  /**
   * Makes an order due immediately, also one that needs attention. Returns false if the order has ended, doesn't exist or is being
   * processed.
   */
  async retry(id: string, staff: string): Promise<boolean> {
    return this.#database.transaction(async (transaction) => {
      const reopened = await transaction.query(reopenForRetry, ["pending", null, id]);
      const isDue = reopened.length > 0 || (await transaction.query(makeOrderDue, [id])).length > 0;
      if (isDue) await transaction.query(insertAction, [id, "retry", staff]);
      // After the commit a worker may process the order and even end it.
      return isDue;
    });
  }

  /** Begins the cancellation of an order. Returns false if the order can't be cancelled now. */
  async cancel(id: string, staff: string): Promise<boolean> {
    return this.#database.transaction(async (transaction) => {
      const saga = await lockSaga(transaction, id);
      const reason = "cancelled_by_store";
      // Not while a worker has the lease: it may have committed without having saved that yet.
      if (saga?.isLeased) return false;
      if (saga !== undefined)
        await cancelInProgress(transaction, id, { step: firstCancellationStep(saga.step), reason });
      else if (!(await cancelConfirmed(transaction, id, reason))) return false;
      await transaction.query(insertAction, [id, "cancel", staff]);
      return true;
    });
  }

  /**
   * Settles the alerts about the payment of an order, and gives the order its last status back unless an alert is left. Returns false if it
   * had neither an alert to settle nor a status because of one.
   *
   * @param through ID of the last alert to settle. Defaults to all.
   */
  async resolve(id: string, staff: string, through?: number): Promise<boolean> {
    return this.#database.transaction(async (transaction) => {
      const isSettled = await settleAlerts(transaction, id, { through });
      // The status can outlast the alerts: while it is set, another replica may settle them.
      const isRestored = await restoreStatus(transaction, id);
      if (!isSettled && !isRestored) return false;
      await transaction.query(insertAction, [id, "resolve", staff]);
      return true;
    });
  }

  /** Returns what staff have done to an order, oldest first. */
  async actions(id: string): Promise<StaffAction[]> {
    const rows = await this.#database.query<Omit<StaffAction, "at"> & { readonly at: Date }>(
      "SELECT action, staff, at FROM staff_actions WHERE order_id = $1 ORDER BY id",
      [id],
    );
    return rows.map(({ at, ...action }) => ({ ...action, at: at.toISOString() }));
  }

  /** Returns whether an order is in progress, so that it can be cancelled as soon as it isn't being processed. */
  async isInProgress(id: string): Promise<boolean> {
    return (await this.#database.query("SELECT FROM sagas WHERE order_id = $1", [id])).length > 0;
  }
}

interface StaffRow extends Omit<
  StaffOrder,
  "reason" | "lastError" | "total" | "placedAt" | "alerts"
> {
  readonly reason: string | null;
  readonly lastError: string | null;
  readonly amount: number;
  readonly currency: string;
  readonly placedAt: Date;
  readonly alerts: readonly AlertRow[] | null;
}

/** Aggregated as JSON, so times are strings. */
interface AlertRow extends Pick<PaymentAlert, "id" | "kind" | "subject"> {
  readonly amount: number | null;
  readonly currency: string | null;
  readonly reason: string | null;
  readonly respond_by: string | null;
  readonly at: string;
}

function toAlert({
  id,
  kind,
  subject,
  amount,
  currency,
  reason,
  respond_by,
  at,
}: AlertRow): PaymentAlert {
  return {
    ...{ id, kind, subject },
    ...(amount === null || currency === null ? {} : { amount: { amount, currency } }),
    ...(reason === null ? {} : { reason }),
    ...(respond_by === null ? {} : { respondBy: new Date(respond_by).toISOString() }),
    at: new Date(at).toISOString(),
  };
}

function toStaffOrder({
  reason,
  lastError,
  amount,
  currency,
  placedAt,
  alerts,
  ...row
}: StaffRow): StaffOrder {
  return {
    ...row,
    ...(reason === null ? {} : { reason }),
    ...(lastError === null ? {} : { lastError }),
    ...(alerts === null ? {} : { alerts: alerts.map(toAlert) }),
    total: { amount, currency },
    placedAt: placedAt.toISOString(),
  };
}

const selectOrders = (conditions: readonly string[]) => `
  SELECT id, status, orders.reason, total_amount AS amount, currency, placed_at AS "placedAt",
    json_build_object('name', customer->>'name', 'email', customer->>'email') AS customer,
    coalesce(step, 'done') AS step, coalesce(attempts, 0) AS attempts, last_error AS "lastError",
    (SELECT json_agg(payment_alerts ORDER BY payment_alerts.id) FROM payment_alerts
     WHERE payment_alerts.order_id = orders.id AND settled_at IS NULL) AS alerts
  FROM orders LEFT JOIN sagas ON order_id = id
  WHERE ${["true", ...conditions].join(" AND ")}
  ORDER BY placed_at DESC, id DESC LIMIT $1`;

/** Retries an order that needs attention. */
const reopenForRetry = changeStatus(
  "UPDATE sagas SET due_at = now(), attempts = 0 WHERE order_id = $3 AND due_at IS NULL RETURNING order_id",
);

/** Retries an order that waits for its next attempt. */
const makeOrderDue =
  "UPDATE sagas SET due_at = now() WHERE order_id = $1 AND lease IS NULL AND due_at IS NOT NULL RETURNING order_id";

const insertAction = "INSERT INTO staff_actions (order_id, action, staff) VALUES ($1, $2, $3)";
