import {
  createParser,
  Type,
  UpstreamError,
  type Client,
  type Database,
  type Log,
  type Queryable,
  type Static,
} from "@store/kit";
import type { paths as BillingPaths } from "@store/contracts/internal/billing";
import { OrderBusy, type ChangeFeed } from "../following/changeFollower.ts";
import {
  cancelConfirmed,
  cancelInProgress,
  firstCancellationStep,
  lockSaga,
} from "../saga/cancellation.ts";
import type { Step } from "../saga/saga.ts";
import {
  addAlert,
  raiseAlerts,
  recordWonDispute,
  reopenRefusedRefund,
  restoreStatus,
  settleAlerts,
} from "./paymentAlerts.ts";

const Change = Type.Object({
  change: Type.Integer(),
  cause: Type.String(),
  order: Type.String(),
  // A later release of billing may have other kinds.
  kind: Type.String(),
  subject: Type.Optional(Type.String()),
  amount: Type.Optional(Type.Object({ amount: Type.Integer(), currency: Type.String() })),
  reason: Type.Optional(Type.String()),
  respondBy: Type.Optional(Type.String({ format: "date-time" })),
  at: Type.String({ format: "date-time" }),
});
type Change = Static<typeof Change>;
const readChanges = createParser(Type.Object({ items: Type.Array(Change) }));

interface PaymentFeedOptions {
  readonly billing: Client<BillingPaths>;
  readonly database: Database;
  readonly log: Log;
}

/** The changes of payments beside the saga: refunds by staff, and reports of the payment provider. */
export function paymentFeed({ billing, database, log }: PaymentFeedOptions): ChangeFeed<Change> {
  return {
    service: "billing",
    read: async (after, limit) => {
      const { data, response } = await billing.GET("/internal/payments/changes", {
        params: { query: { after, limit } },
      });
      // During a rollout.
      if (response.status === 404)
        throw new UpstreamError("billing", "is of a release without changes of payments");
      const changes = readChanges(data)?.items;
      if (changes === undefined)
        throw new Error("billing's answer doesn't match its OpenAPI document");
      return changes;
    },
    contentOf: ({ change, cause }) => `${change} ${cause}`,
    apply: applyChange,
    afterPoll: () => raiseAlerts(database, log),
  };
}

async function applyChange(transaction: Queryable, change: Change): Promise<void> {
  const { order, kind, subject = "", at } = change;
  switch (kind) {
    case "refunded":
      await cancelRefunded(transaction, order);
      return;
    case "authorisation_lapsed":
      await cancelUnpaid(transaction, order);
      return;
    case "dispute_won":
      if (!(await recordWonDispute(transaction, { ...change, subject }))) return;
      // The previous release recorded no won disputes: a repeated one may be older than an alert.
      await settleAlerts(transaction, order, { subject, until: at });
      await reopenRefusedRefund(transaction, order, at);
      await restoreStatus(transaction, order);
      return;
    case "dispute_opened":
    case "dispute_lost":
    case "refund_failed":
      await addAlert(transaction, { ...change, kind, subject });
  }
}

/**
 * Cancels an order whose payment is completely refunded, unless its parcel is dispatched. A refunded payment was captured, so the goods
 * are committed, whatever step the saga has saved.
 */
async function cancelRefunded(transaction: Queryable, order: string): Promise<void> {
  const reason = "refunded_by_store";
  const saga = await lockSaga(transaction, order);
  if (saga === undefined) {
    await cancelConfirmed(transaction, order, reason);
    return;
  }
  const isCancelling: readonly Step[] = ["unship", "refund", "return"];
  if (isCancelling.includes(saga.step)) return;
  if (saga.isLeased) throw new OrderBusy();
  await cancelInProgress(transaction, order, { step: "unship", reason });
}

/** Cancels an order whose authorisation has lapsed before the capture. */
async function cancelUnpaid(transaction: Queryable, order: string): Promise<void> {
  const saga = await lockSaga(transaction, order);
  const beforeCapture: readonly Step[] = ["reserve", "authorise", "commit", "capture"];
  if (saga === undefined || !beforeCapture.includes(saga.step)) return;
  if (saga.isLeased) throw new OrderBusy();
  const step = firstCancellationStep(saga.step);
  await cancelInProgress(transaction, order, { step, reason: "payment_failed" });
}
