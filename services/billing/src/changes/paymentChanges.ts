import type { Database, Queryable } from "@store/kit";
import type { ChangeKind, PaymentChange } from "./schemas.ts";

interface NewChange {
  /** Identifies the cause, so that it is recorded once. */
  readonly cause: string;
  /** Id of the payment. */
  readonly payment: string;
  readonly kind: ChangeKind;
  /** Id of the refund or dispute. */
  readonly subject?: string;
  /** In the currency's minor unit. */
  readonly amount?: number;
  readonly reason?: string | null;
  readonly respondBy?: Date | null;
}

/**
 * Records a change under the next number, once per cause. The lock is held until the commit is visible, so that a reader who has seen a
 * number never sees a smaller one appear later.
 */
export async function recordChange(transaction: Queryable, change: NewChange): Promise<void> {
  const { cause, payment, kind, subject, amount, reason, respondBy } = change;
  await transaction.query("SELECT pg_advisory_xact_lock(hashtextextended('payment_changes', 0))");
  await transaction.query(insertChange, [
    ...[cause, payment, kind, subject ?? null, amount ?? null, reason ?? null, respondBy ?? null],
  ]);
}

/**
 * Records that a payment is completely refunded, if it is. Refunds that are pending count, because the provider has accepted them or is
 * asked again: their order must not be sent meanwhile.
 */
export async function recordCompleteRefund(transaction: Queryable, payment: string): Promise<void> {
  const complete = await transaction.query(
    "SELECT FROM payments WHERE id = $1 AND refunded = amount",
    [payment],
  );
  if (complete.length === 0) return;
  await recordChange(transaction, { cause: `refunded ${payment}`, payment, kind: "refunded" });
}

/** Returns up to `limit` changes with greater numbers than `after`, in their order. */
export async function readChanges(
  database: Database,
  after: number,
  limit: number,
): Promise<PaymentChange[]> {
  const rows = await database.query<ChangeRow>(selectChanges, [after, limit]);
  return rows.map(({ amount, currency, subject, reason, respond_by, at, ...row }) => ({
    ...row,
    ...(subject === null ? {} : { subject }),
    ...(amount === null ? {} : { amount: { amount, currency } }),
    ...(reason === null ? {} : { reason }),
    ...(respond_by === null ? {} : { respondBy: respond_by.toISOString() }),
    at: at.toISOString(),
  }));
}

interface ChangeRow extends Pick<PaymentChange, "change" | "cause" | "payment" | "order" | "kind"> {
  readonly subject: string | null;
  readonly amount: number | null;
  readonly currency: string;
  readonly reason: string | null;
  readonly respond_by: Date | null;
  readonly at: Date;
}

const insertChange = `
  INSERT INTO payment_changes (change, cause, payment_id, kind, subject, amount, reason, respond_by)
  SELECT coalesce(max(change), 0) + 1, $1, $2, $3, $4, $5, $6, $7 FROM payment_changes
  ON CONFLICT (cause) DO NOTHING`;

const selectChanges = `
  SELECT change, cause, payment_id AS payment, order_id AS "order", kind, subject, payment_changes.amount, currency, reason,
    respond_by, at
  FROM payment_changes JOIN payments ON id = payment_id
  WHERE change > $1 ORDER BY change LIMIT $2`;
