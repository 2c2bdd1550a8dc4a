import type { Queryable } from "@store/kit";
import { recordChange } from "../changes/paymentChanges.ts";
import { lockPaymentRow } from "../payments/paymentRows.ts";
import type { ProviderReport, ReportedDispute } from "../providers/provider.ts";
import { failSucceededRefund } from "../refunds/failedRefunds.ts";

/** A report and billing's id of its payment. */
export interface PaymentReport extends ProviderReport {
  readonly payment: string;
}

/** Applies a report to its payment. Returns the log line's text; undefined if billing knew it already. */
export async function applyReport(
  transaction: Queryable,
  report: PaymentReport,
): Promise<string | undefined> {
  const { payment, event } = report;
  switch (event.type) {
    case "refund_failed": {
      const { refund, reason } = event;
      return (await failSucceededRefund(transaction, { refund, payment, reason }))
        ? `a refund that had succeeded has failed: ${reason}`
        : undefined;
    }
    case "voided":
      return voidPayment(transaction, report);
    case "dispute":
      return applyDispute(transaction, report, event);
  }
}

/**
 * Marks an authorised payment as voided: the provider has released the amount, as it does after a week. Not while a call holds the
 * payment's lease: it may be a void, and it gets the same outcome, or a later call if its outcome is unknown.
 */
async function voidPayment(
  transaction: Queryable,
  { id, payment }: PaymentReport,
): Promise<string | undefined> {
  const voided = await transaction.query(
    `UPDATE payments SET status = 'voided', updated_at = now()
     WHERE id = $1 AND status = 'authorised' AND (lease IS NULL OR leased_until < clock_timestamp()) RETURNING id`,
    [payment],
  );
  if (voided.length === 0) return undefined;
  await recordChange(transaction, { cause: id, payment, kind: "authorisation_lapsed" });
  return "the authorisation has lapsed";
}

const disputeChanges = {
  open: "dispute_opened",
  won: "dispute_won",
  lost: "dispute_lost",
} as const;

/** Stores a dispute. Records another status, and another deadline for the answer. Reports may arrive in any order: an older one than the stored one changes nothing. */
async function applyDispute(
  transaction: Queryable,
  { id, at, payment }: PaymentReport,
  { dispute, status, amount: { amount }, reason, respondBy }: ReportedDispute,
): Promise<string | undefined> {
  await lockPaymentRow(transaction, payment);
  const [before] = await transaction.query<{ status: string; respond_by: Date | null }>(
    "SELECT status, respond_by FROM disputes WHERE id = $1",
    [dispute],
  );
  // An inquiry that becomes a chargeback stays open, and an answer is expected again.
  const hasNewDeadline =
    respondBy !== undefined && before?.respond_by?.getTime() !== respondBy.getTime();
  const stored = await transaction.query(storeDispute, [
    ...[dispute, payment, amount, status, reason, respondBy ?? null, at],
  ]);
  if (stored.length === 0 || (before?.status === status && !hasNewDeadline)) return undefined;
  await recordChange(transaction, {
    ...{ cause: id, payment, kind: disputeChanges[status], subject: dispute },
    ...{ amount, reason, respondBy: respondBy ?? null },
  });
  return `a dispute is ${status}: ${reason}`;
}

const storeDispute = `
  INSERT INTO disputes (id, payment_id, amount, status, reason, respond_by, reported_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7)
  ON CONFLICT (id) DO UPDATE SET amount = excluded.amount, status = excluded.status, reason = excluded.reason,
    respond_by = excluded.respond_by, reported_at = excluded.reported_at
  WHERE excluded.reported_at > disputes.reported_at
    -- Stripe counts in seconds. Of two reports in the same one, a dispute's end is the later.
    OR excluded.reported_at = disputes.reported_at AND disputes.status = 'open'
  RETURNING id`;
