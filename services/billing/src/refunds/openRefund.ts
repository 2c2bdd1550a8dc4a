import { createHash, randomUUID } from "node:crypto";
import { problem, type Queryable } from "@store/kit";
import type { ProviderName } from "../providers/provider.ts";
import { lockPaymentRow } from "../payments/paymentRows.ts";
import type { Payment } from "../payments/schemas.ts";
import {
  currencyDiffers,
  idempotencyKeyReused,
  otherProvider,
  paymentNotCaptured,
  refundExceeds,
} from "./problems.ts";
import type { RefundRequest } from "./schemas.ts";

interface NewRefund {
  /** Id of the payment. */
  readonly payment: string;
  readonly request: RefundRequest;
  readonly idempotencyKey: string;
  /** Name of the staff token; undefined for a refund that a service requests. */
  readonly requestedBy: string | undefined;
  /** The configured provider. */
  readonly provider: ProviderName;
  /** Seconds until a poll may retry the refund. At least the lease of the first call to the provider. */
  readonly firstRetrySeconds: number;
}

/**
 * Stores a pending refund and reserves its amount. Returns its id, or the id of the refund made earlier with the same idempotency
 * key.
 *
 * @throws Problem if the payment can't be refunded like this, or if the key was used with another body.
 */
export async function openRefund(transaction: Queryable, refund: NewRefund): Promise<string> {
  const { payment: id, request, idempotencyKey } = refund;
  // Simultaneous requests with one key run one after the other.
  await lockPaymentRow(transaction, id);
  const earlier = await findByKey(transaction, id, request, idempotencyKey);
  if (earlier !== undefined) return earlier;
  const payment = await readRefundablePayment(transaction, refund);
  const amount = request.amount?.amount ?? payment.amount - payment.refunded;
  await reserveAmount(transaction, id, payment, amount);
  const refundId = randomUUID();
  await transaction.query(
    `INSERT INTO refunds
       (id, payment_id, idempotency_key, request_hash, amount, status, reason, next_attempt_at, requested_by)
     VALUES ($1, $2, $3, $4, $5, 'pending', $6, now() + make_interval(secs => $7), $8)`,
    [
      ...[refundId, id, idempotencyKey, hashRequest(request), amount, request.reason],
      ...[refund.firstRetrySeconds, refund.requestedBy],
    ],
  );
  return refundId;
}

/**
 * Stores a pending refund of everything that isn't refunded yet. Returns undefined if nothing is left.
 *
 * @throws Problem if the payment can't be refunded.
 */
export async function openRestRefund(
  transaction: Queryable,
  refund: Omit<NewRefund, "request">,
): Promise<string | undefined> {
  const whole = { ...refund, request: {} };
  await lockPaymentRow(transaction, refund.payment);
  const { amount, refunded } = await readRefundablePayment(transaction, whole);
  return amount === refunded ? undefined : openRefund(transaction, whole);
}

interface RefundablePayment {
  readonly status: Payment["status"];
  readonly amount: number;
  readonly currency: string;
  readonly refunded: number;
  readonly provider: string | null;
}

/** @throws Problem if the payment doesn't exist, isn't captured, or has another provider or currency. */
async function readRefundablePayment(
  transaction: Queryable,
  { payment: id, request, provider }: NewRefund,
): Promise<RefundablePayment> {
  const [payment] = await transaction.query<RefundablePayment>(
    "SELECT status, amount, currency, refunded, provider FROM payments WHERE id = $1",
    [id],
  );
  if (payment === undefined) throw problem(404, `There is no payment ${id}.`);
  if (payment.status !== "captured" && payment.status !== "refunded")
    throw paymentNotCaptured(id, payment.status);
  if (payment.provider !== provider) throw otherProvider(id, provider);
  const { currency } = payment;
  if (request.amount !== undefined && request.amount.currency !== currency)
    throw currencyDiffers(id, currency);
  return payment;
}

/** @throws Problem (409) if less than the amount is left. */
async function reserveAmount(
  transaction: Queryable,
  id: string,
  payment: RefundablePayment,
  amount: number,
): Promise<void> {
  const reserved = await transaction.query(
    `UPDATE payments SET refunded = refunded + $2, updated_at = now()
     WHERE id = $1 AND status = 'captured' AND $2::bigint > 0 AND refunded + $2 <= amount RETURNING id`,
    [id, amount],
  );
  if (reserved.length === 0)
    throw refundExceeds(id, payment.amount - payment.refunded, payment.currency);
}

/**
 * Returns the id of the refund made with this idempotency key, or undefined.
 *
 * @throws Problem (422) if the key was used with another body.
 */
async function findByKey(
  transaction: Queryable,
  payment: string,
  request: RefundRequest,
  key: string,
): Promise<string | undefined> {
  const [earlier] = await transaction.query<{ id: string; request_hash: Buffer }>(
    "SELECT id, request_hash FROM refunds WHERE payment_id = $1 AND idempotency_key = $2",
    [payment, key],
  );
  if (earlier === undefined || earlier.request_hash.equals(hashRequest(request)))
    return earlier?.id;
  throw idempotencyKeyReused();
}

function hashRequest({ amount, reason }: RefundRequest): Buffer {
  const content = JSON.stringify([amount?.amount, amount?.currency, reason]);
  return createHash("sha256").update(content).digest();
}
