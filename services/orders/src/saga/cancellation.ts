import type { Queryable } from "@store/kit";
import { changeStatus, lastStatus } from "../orders/changeStatus.ts";
import type { Step } from "./saga.ts";

/** The saga of an order in progress. */
interface LockedSaga {
  readonly step: Step;
  /** True while a worker processes the order. */
  readonly isLeased: boolean;
}

/** Locks the saga of an order until the end of the transaction. Returns undefined if the order has ended or doesn't exist. */
export async function lockSaga(
  transaction: Queryable,
  order: string,
): Promise<LockedSaga | undefined> {
  const [saga] = await transaction.query<LockedSaga & Record<string, unknown>>(
    `SELECT step, lease IS NOT NULL AS "isLeased" FROM sagas WHERE order_id = $1 FOR UPDATE`,
    [order],
  );
  return saga;
}

/**
 * Returns the first step of the cancellation of an order. The worker starts with the release, which inventory grants only if nothing was
 * committed, and which makes inventory refuse a late commit. At the capture it starts with the void of the payment, which billing grants
 * only if nothing was captured, and which makes billing refuse a late capture. At the parcel it starts with the parcel's cancellation,
 * which shipping grants only if nothing was dispatched.
 */
export function firstCancellationStep(step: Step): Step {
  if (["void", "revoke", "return", "unship", "refund"].includes(step)) return step;
  if (step === "capture") return "revoke";
  return step === "ship" ? "unship" : "release";
}

interface Cancellation {
  readonly step: Step;
  /** Reason for the cancellation, unless it has one already. */
  readonly reason: string;
}

/** Continues a saga, which no worker may have leased, at the first step of its cancellation. */
export async function cancelInProgress(
  transaction: Queryable,
  order: string,
  { step, reason }: Cancellation,
): Promise<void> {
  await transaction.query(redirectSaga, [order, step, reason]);
  await reopen(transaction, order);
}

/** Begins the cancellation of an order whose parcel waits for its dispatch. Returns false if there is no such order. */
export async function cancelConfirmed(
  transaction: Queryable,
  order: string,
  reason: string,
): Promise<boolean> {
  // A statement of its own, so that the next one reads the status that another transaction has committed meanwhile.
  await transaction.query("SELECT FROM orders WHERE id = $1 FOR UPDATE", [order]);
  if ((await transaction.query(beginCancellation, [order, reason])).length === 0) return false;
  await reopen(transaction, order);
  return true;
}

async function reopen(transaction: Queryable, order: string): Promise<void> {
  // A cancelled order needs no payment token.
  await transaction.query("UPDATE orders SET payment_token = NULL WHERE id = $1", [order]);
  await transaction.query(reopenOrder, ["pending", null, order]);
}

const redirectSaga = `
  UPDATE sagas SET step = $2, reason = coalesce(reason, $3), attempts = 0, last_error = NULL, due_at = now()
  WHERE order_id = $1`;

/**
 * A confirmed order has no saga any more. It stays confirmed until its cancellation ends; one that needs attention becomes pending.
 * NOT EXISTS avoids a deadlock with a worker that ends a saga: the insertion would wait for the worker, which waits for the locked order.
 */
const beginCancellation = `
  INSERT INTO sagas (order_id, step, reason)
  SELECT id, 'unship', $2 FROM orders
  WHERE id = $1 AND (status = 'confirmed' OR status = 'needs_attention' AND ${lastStatus} = 'confirmed')
    AND NOT EXISTS (SELECT FROM sagas WHERE order_id = orders.id)
  ON CONFLICT DO NOTHING RETURNING order_id`;

const reopenOrder = changeStatus(
  "SELECT id AS order_id FROM orders WHERE id = $3 AND status = 'needs_attention'",
);
