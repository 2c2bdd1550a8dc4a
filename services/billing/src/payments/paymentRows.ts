import type { Queryable } from "@store/kit";
import type { PaymentProvider } from "../providers/provider.ts";
import { orderAlreadyPaid, paymentVoided } from "./problems.ts";
import type { Payment, PaymentRequest } from "./schemas.ts";

/** A payment in the database. */
export interface PaymentRow {
  readonly id: string;
  readonly order_id: string;
  readonly status: Payment["status"];
  readonly amount: number;
  readonly currency: string;
  readonly token_hash: Buffer | null;
  readonly provider: string | null;
  readonly provider_reference: string | null;
  readonly decline_reason: string | null;
}

export const columns =
  "id, order_id, status, amount, currency, token_hash, provider, provider_reference, decline_reason";

/** Condition that rejects writes of a call whose lease was lost to another. */
export const holdsLease = "id = $1 AND lease = $2";

/**
 * Locks a payment id until the transaction ends, and returns the payment, or undefined if there is none. The advisory lock also
 * covers an id without a row, which a row lock can't.
 */
export async function lockPayment(
  transaction: Queryable,
  id: string,
): Promise<PaymentRow | undefined> {
  await transaction.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [id]);
  const [payment] = await transaction.query<PaymentRow>(
    // The row lock waits for a call that is storing its outcome: the status read here must still hold when the lease is taken.
    `SELECT ${columns} FROM payments WHERE id = $1 FOR UPDATE`,
    [id],
  );
  return payment;
}

/**
 * Locks a payment's row until the transaction ends, so that transactions that change its refunds or disputes run one after the other.
 * Locks nothing if there is no such payment. Order of the locks, without which transactions could deadlock: the payment, its refund or
 * dispute, the numbers of changes (recordChange).
 */
export async function lockPaymentRow(transaction: Queryable, id: string): Promise<void> {
  await transaction.query("SELECT id FROM payments WHERE id = $1 FOR UPDATE", [id]);
}

interface NewPayment {
  readonly id: string;
  readonly request: PaymentRequest;
  readonly tokenHash: Buffer;
  readonly provider: PaymentProvider;
}

/**
 * Stores a new pending payment.
 *
 * @throws Problem (409) if the id was voided before or the order has another payment.
 */
export async function openPayment(
  transaction: Queryable,
  payment: NewPayment,
): Promise<PaymentRow> {
  const { id, request, tokenHash, provider } = payment;
  if (await hasTombstone(transaction, id)) throw paymentVoided(id);
  const [opened] = await transaction.query<PaymentRow>(
    `INSERT INTO payments (id, order_id, status, amount, currency, token_hash, provider)
     VALUES ($1, $2, 'pending', $3, $4, $5, $6)
     ON CONFLICT DO NOTHING RETURNING ${columns}`,
    [id, request.order, request.amount.amount, request.amount.currency, tokenHash, provider.name],
  );
  if (opened !== undefined) return opened;
  throw orderAlreadyPaid(request.order);
}

/** Returns whether the id was voided before a payment with it was requested. */
export async function hasTombstone(transaction: Queryable, id: string): Promise<boolean> {
  const found = await transaction.query("SELECT id FROM payment_tombstones WHERE id = $1", [id]);
  return found.length > 0;
}

/** Marks an id without a payment as voided. */
export async function leaveTombstone(transaction: Queryable, id: string): Promise<void> {
  await transaction.query(
    "INSERT INTO payment_tombstones (id) VALUES ($1) ON CONFLICT DO NOTHING",
    [id],
  );
}
