import type { Database, Log, Queryable } from "@store/kit";

const KINDS = ["dispute_opened", "dispute_lost", "refund_failed"] as const;

export interface NewAlert {
  /** Billing's identification of the change, so that none is added twice. */
  readonly cause: string;
  readonly order: string;
  readonly kind: (typeof KINDS)[number];
  /** Id of the dispute or refund. */
  readonly subject: string;
  readonly amount?: { readonly amount: number; readonly currency: string } | undefined;
  readonly reason?: string | undefined;
  readonly respondBy?: string | undefined;
  readonly at: string;
}

/** Returns whether an order needs attention because of an alert: its reason is the newest alert's kind. */
export function isAlertReason(reason: string | undefined): boolean {
  return KINDS.some((kind) => kind === reason);
}

/**
 * Adds an alert about the payment of an order, if the order exists. While an order has an alert that isn't settled, it needs attention:
 * {@link raiseAlerts} sets its status. A new alert about a dispute settles the alert of its opening; one that is repeated
 * changes nothing.
 */
export async function addAlert(transaction: Queryable, alert: NewAlert): Promise<void> {
  const { cause, order, kind, subject, amount, reason, respondBy, at } = alert;
  await transaction.query(insertAlert, [
    ...[cause, order, kind, subject, amount?.amount ?? null, amount?.currency ?? null],
    ...[reason ?? null, respondBy ?? null, at],
  ]);
}

/**
 * Records that the store has won a dispute. Returns false if that is recorded already, or if the order doesn't exist. After a
 * restoration, billing may repeat a won dispute that was opened again later, even with a newer time.
 */
export async function recordWonDispute(
  transaction: Queryable,
  { cause, order, subject, at }: Pick<NewAlert, "cause" | "order" | "subject" | "at">,
): Promise<boolean> {
  return (await transaction.query(insertWonDispute, [cause, order, subject, at])).length > 0;
}

interface AlertFilter {
  /** Id of a dispute or refund. @default all */
  readonly subject?: string | undefined;
  /** ID of the last alert. @default all */
  readonly through?: number | undefined;
  /** Time of the newest alert, as ISO 8601. @default all */
  readonly until?: string | undefined;
}

/** Settles alerts of an order. Returns whether there was one. */
export async function settleAlerts(
  transaction: Queryable,
  order: string,
  { subject, through, until }: AlertFilter,
): Promise<boolean> {
  const values = [order, subject ?? null, through ?? null, until ?? null];
  return (await transaction.query(settle, values)).length > 0;
}

/**
 * Opens the newest alert about a refund that the payment provider refused because of a dispute again, after the store has won it: the
 * provider accepts the refund now. Changes nothing if it is repeated.
 */
export async function reopenRefusedRefund(
  transaction: Queryable,
  order: string,
  at: string,
): Promise<void> {
  await transaction.query(reopenRefund, [order, at]);
}

/** Gives an order that needs attention its last status back, unless an alert or a saga is left. Returns whether it did. */
export async function restoreStatus(transaction: Queryable, order: string): Promise<boolean> {
  return (await transaction.query(restore, [order])).length > 0;
}

/**
 * Sets the status of orders with alerts to needs_attention. An order in progress keeps its status until its end, which would overwrite
 * needs_attention. So may a dispatched parcel: the next call sets it again.
 */
export async function raiseAlerts(database: Database, log: Log): Promise<void> {
  // The order's own id grants access, so it isn't logged.
  for (const order of await database.query<{ requestId: string; reason: string }>(raise))
    log.error(order, "The order needs attention because of its payment");
}

const insertAlert = `
  WITH added AS (
    INSERT INTO payment_alerts (cause, order_id, kind, subject, amount, currency, reason, respond_by, at)
    SELECT $1, id, $3, $4, $5, $6, $7, $8, $9 FROM orders WHERE id = $2
    ON CONFLICT (cause) DO NOTHING RETURNING order_id, subject
  )
  UPDATE payment_alerts SET settled_at = now() FROM added
  WHERE payment_alerts.order_id = added.order_id AND payment_alerts.subject = added.subject
    AND kind = 'dispute_opened' AND settled_at IS NULL`;

// Settled from the beginning: staff have nothing to do.
const insertWonDispute = `
  INSERT INTO payment_alerts (cause, order_id, kind, subject, at, settled_at)
  SELECT $1, id, 'dispute_won', $3, $4, now() FROM orders WHERE id = $2
  ON CONFLICT (cause) DO NOTHING RETURNING id`;

const settle = `
  UPDATE payment_alerts SET settled_at = now()
  WHERE order_id = $1 AND settled_at IS NULL AND subject = coalesce($2, subject)
    AND id <= coalesce($3, id) AND at <= coalesce($4, at) RETURNING id`;

const reopenRefund = `
  UPDATE payment_alerts SET reason = 'dispute_won', at = $2, settled_at = NULL
  WHERE reason IN ('charge_disputed', 'refund_disputed_payment')
    AND id = (SELECT max(id) FROM payment_alerts WHERE order_id = $1 AND kind = 'refund_failed')`;

const restore = `
  WITH past AS (
    SELECT status, reason FROM order_history WHERE order_id = $1 AND status <> 'needs_attention'
    ORDER BY id DESC LIMIT 1
  ), changed AS (
    UPDATE orders SET status = past.status, reason = past.reason FROM past
    WHERE id = $1 AND orders.status = 'needs_attention'
      AND NOT EXISTS (SELECT FROM sagas WHERE order_id = $1)
      AND NOT EXISTS (SELECT FROM payment_alerts WHERE order_id = $1 AND settled_at IS NULL)
    RETURNING id, orders.status, orders.reason
  )
  INSERT INTO order_history (order_id, status, reason) SELECT id, status, reason FROM changed
  RETURNING order_id`;

const raise = `
  WITH newest AS (
    SELECT DISTINCT ON (order_id) order_id, kind FROM payment_alerts WHERE settled_at IS NULL
    ORDER BY order_id, id DESC
  ), raised AS (
    UPDATE orders SET status = 'needs_attention', reason = kind FROM newest
    WHERE id = order_id AND (status <> 'needs_attention' OR reason IS DISTINCT FROM kind)
      AND NOT EXISTS (SELECT FROM sagas WHERE sagas.order_id = id)
    RETURNING id, request_id, orders.reason
  ), recorded AS (
    INSERT INTO order_history (order_id, status, reason) SELECT id, 'needs_attention', reason FROM raised
  )
  SELECT request_id AS "requestId", reason FROM raised`;
