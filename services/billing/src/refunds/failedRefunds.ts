import type { Queryable } from "@store/kit";
import { recordChange } from "../changes/paymentChanges.ts";
import { lockPaymentRow } from "../payments/paymentRows.ts";

interface FailedRefund {
  /** Id of the refund. */
  readonly refund: string;
  /** Id of the payment, which the transaction has locked. */
  readonly payment: string;
  /** The provider's reason. */
  readonly reason: string;
}

/** Makes the amount of a refund that failed refundable again, and records the failure for the order. */
export async function releaseAmount(
  transaction: Queryable,
  { refund, payment, reason }: FailedRefund,
  amount: number,
): Promise<void> {
  await transaction.query(
    `UPDATE payments SET refunded = refunded - $2, updated_at = now(),
       status = CASE status WHEN 'refunded' THEN 'captured' ELSE status END
     WHERE id = $1`,
    [payment, amount],
  );
  const cause = `refund_failed ${refund}`;
  await recordChange(transaction, {
    ...{ cause, payment, kind: "refund_failed", subject: refund, amount, reason },
  });
}

/** Marks a refund that had succeeded as failed. Returns false if it hadn't, or has failed before. */
export async function failSucceededRefund(
  transaction: Queryable,
  failed: FailedRefund,
): Promise<boolean> {
  const { refund, payment, reason } = failed;
  await lockPaymentRow(transaction, payment);
  const [row] = await transaction.query<{ amount: number }>(
    `UPDATE refunds SET status = 'failed', failure = $3, updated_at = now()
     WHERE id = $1 AND payment_id = $2 AND status = 'succeeded' RETURNING amount`,
    [refund, payment, reason],
  );
  if (row === undefined) return false;
  await releaseAmount(transaction, failed, row.amount);
  return true;
}
