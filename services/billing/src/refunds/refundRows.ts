import type { Refund } from "./schemas.ts";

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
  /** Null for the refund of a cancelled order, and for refunds of an earlier release. */
  readonly requested_by: string | null;
}

export const selectRefunds = `
  SELECT refunds.id, payment_id, amount, status, reason, failure, created_at, requested_by,
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
    ...(row.requested_by === null ? {} : { requestedBy: row.requested_by }),
    createdAt: new Date(row.created_at).toISOString(),
  };
}
