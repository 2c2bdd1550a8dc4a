import { randomUUID } from "node:crypto";
import { Problem, type Database } from "@store/kit";
import type { Refusal, RequestIdentity, StoredAnswer } from "./idempotency.ts";
import { totalOf, type PricedItem } from "./pricing.ts";
import type { Order, OrderReceipt, OrderRequest, OrderStatus } from "./schemas.ts";

interface NewOrder extends RequestIdentity {
  readonly request: OrderRequest;
  readonly items: readonly [PricedItem, ...PricedItem[]];
  readonly requestId: string;
  readonly traceparent: string | undefined;
}

/** The orders in the database. */
export class OrderStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Finds the answer to the order with this key, or to this request if it was refused. */
  async findAnswer({ key, hash }: RequestIdentity): Promise<StoredAnswer | undefined> {
    const [answer] = await this.#database.query<StoredAnswer & { readonly outdated: boolean }>(
      selectAnswer,
      [key, hash],
    );
    if (answer === undefined || !answer.outdated) return answer;
    await this.#database.query(deleteOutdatedRefusal, [key, hash]);
    return undefined;
  }

  /** Stores a new order. If the key was used or the request refused in the meantime, returns the answer given then. */
  async place({
    key,
    hash,
    request,
    items,
    requestId,
    traceparent,
  }: NewOrder): Promise<StoredAnswer> {
    const id = randomUUID();
    const response = JSON.stringify({ id, status: "pending" } satisfies OrderReceipt);
    const inserted = await this.#database.query(insertOrder, [
      id,
      key,
      hash,
      response,
      request.customer,
      request.payment.token,
      totalOf(items),
      items[0].price.currency,
      requestId,
      items.map((_item, line) => line),
      items.map(({ sku }) => sku),
      items.map(({ name }) => name),
      items.map(({ quantity }) => quantity),
      items.map(({ price }) => price.amount),
      traceparent,
    ]);
    if (inserted.length > 0) return { id, hash, response };
    const earlier = await this.findAnswer({ key, hash });
    if (earlier === undefined) throw new Error("a used idempotency key has no stored answer");
    return earlier;
  }

  /**
   * Stores the refusal of a request. From then on the request is refused, even if another replica is about to place it. If it
   * was answered in the meantime, returns that answer.
   *
   * @throws `error` if it isn't a Problem, because then it is unknown whether the items can be ordered.
   */
  async refuse(identity: RequestIdentity, error: unknown): Promise<StoredAnswer> {
    if (!(error instanceof Problem)) {
      const earlier = await this.findAnswer(identity);
      if (earlier === undefined) throw error;
      return earlier;
    }
    const { key, hash } = identity;
    const { status, message, options } = error;
    const refusal: Refusal = { status, message, options };
    const response = JSON.stringify(refusal);
    return this.#database.transaction(async (transaction) => {
      await transaction.query(lockKey, [key]);
      const [earlier] = await transaction.query<StoredAnswer>(selectAnswer, [key, hash]);
      if (earlier !== undefined) return earlier;
      await transaction.query(insertRefusal, [key, hash, response]);
      for (const statement of deleteOldRefusals) await transaction.query(statement);
      return { id: null, hash, response };
    });
  }

  async find(id: string): Promise<Order | undefined> {
    const [order] = await this.#database.query<OrderRow>(selectOrder, [id]);
    if (order === undefined) return undefined;
    const { currency } = order;
    return {
      id,
      status: order.status,
      ...reasonOf(order),
      items: order.items.map(({ sku, name, quantity, amount }) => ({
        sku,
        name,
        quantity,
        price: { amount, currency },
      })),
      total: { amount: order.total, currency },
      placedAt: order.placed_at.toISOString(),
      history: order.history.map(({ status, reason, at }) => ({
        status,
        ...reasonOf({ reason }),
        at: new Date(at).toISOString(),
      })),
    };
  }
}

/**
 * SQL condition for a refusal because of items (out of stock, unknown or repeated) that is older than any copy of its request that may
 * still arrive. There may be stock again, or the product. A younger one is kept: whoever was told that nothing is ordered may already have
 * ordered again.
 */
const outdatedRefusal =
  "response::jsonb #>> '{options,type}' = 'items' AND refused_at < now() - interval '5 minutes'";

// The refusal of this request comes before an order of another request with the key: the same request gets the same answer.
const selectAnswer = `
  SELECT id, request_hash AS hash, response, false AS outdated FROM orders WHERE idempotency_key = $1
  UNION ALL
  SELECT NULL, request_hash, response, ${outdatedRefusal} FROM refusals
  WHERE idempotency_key = $1 AND request_hash = $2
  ORDER BY id NULLS FIRST LIMIT 1`;

const deleteOutdatedRefusal = `
  DELETE FROM refusals WHERE idempotency_key = $1 AND request_hash = $2 AND ${outdatedRefusal}`;

/** Locks the key until the end of the transaction, against concurrent orders with this key. */
const lockKey = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";

const insertRefusal =
  "INSERT INTO refusals (idempotency_key, request_hash, response) VALUES ($1, $2, $3)";

// Each insertion deletes two rows of each kind, so that the table never grows beyond one month of refusals, and a few minutes of those
// because of items: their text names each item of the request.
const deleteOldRefusals = ["refused_at < now() - interval '30 days'", outdatedRefusal].map(
  (condition) => `
  DELETE FROM refusals WHERE (idempotency_key, request_hash) IN (
    SELECT idempotency_key, request_hash FROM refusals WHERE ${condition}
    ORDER BY refused_at LIMIT 2 FOR UPDATE SKIP LOCKED
  )`,
);

// One statement, one commit. It waits for concurrent orders and refusals with the same key. A trigger inserts the saga's row.
const insertOrder = `
  WITH placed AS (
    INSERT INTO orders (id, idempotency_key, request_hash, response, customer, payment_token,
      total_amount, currency, request_id, traceparent)
    SELECT $1::uuid, $2::text, $3::bytea, $4::text, $5::jsonb, $6::text, $7::bigint, $8::text, $9::text, $15::text
    WHERE may_become_order($2, $3)
    ON CONFLICT (idempotency_key) DO NOTHING RETURNING id
  ), items AS (
    INSERT INTO order_items (order_id, line, sku, name, quantity, price_amount)
    SELECT id, item.* FROM placed,
      unnest($10::integer[], $11::text[], $12::text[], $13::integer[], $14::bigint[]) AS item
  )
  INSERT INTO order_history (order_id, status) SELECT id, 'pending' FROM placed RETURNING order_id`;

interface OrderRow {
  readonly status: OrderStatus;
  readonly reason: string | null;
  readonly total: number;
  readonly currency: string;
  readonly placed_at: Date;
  readonly items: readonly {
    readonly sku: string;
    readonly name: string;
    readonly quantity: number;
    readonly amount: number;
  }[];
  readonly history: readonly {
    readonly status: OrderStatus;
    readonly reason: string | null;
    readonly at: string;
  }[];
}

// One statement, for a consistent snapshot.
const selectOrder = `
  SELECT status, reason, total_amount AS total, currency, placed_at,
    (SELECT json_agg(json_build_object('sku', sku, 'name', name, 'quantity', quantity, 'amount', price_amount)
       ORDER BY line) FROM order_items WHERE order_id = orders.id) AS items,
    (SELECT json_agg(json_build_object('status', status, 'reason', reason, 'at', at)
       ORDER BY id) FROM order_history WHERE order_id = orders.id) AS history
  FROM orders WHERE id = $1`;

function reasonOf({ reason }: { readonly reason: string | null }): { readonly reason?: string } {
  return reason === null ? {} : { reason };
}
