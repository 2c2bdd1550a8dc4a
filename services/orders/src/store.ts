import { createHash, randomUUID } from "node:crypto";
import { problem, type Database } from "@store/kit";
import type { PricedItem } from "./pricing.ts";
import type { Order, OrderReceipt, OrderRequest, OrderStatus } from "./schemas.ts";

/** What was answered to a key, and to which request. */
export interface KeptAnswer {
  readonly id: string;
  readonly hash: Buffer;
  readonly response: string;
}

interface NewOrder {
  readonly key: string;
  readonly hash: Buffer;
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

  async findByKey(key: string): Promise<KeptAnswer | undefined> {
    const [answer] = await this.#database.query<KeptAnswer>(selectAnswer, [key]);
    return answer;
  }

  /** Keeps a new order. If the key was taken in the meantime, gives what was answered to that. */
  async place({
    key,
    hash,
    request,
    items,
    requestId,
    traceparent,
  }: NewOrder): Promise<KeptAnswer> {
    const id = randomUUID();
    const response = JSON.stringify({ id, status: "pending" } satisfies OrderReceipt);
    const inserted = await this.#database.query(insertOrder, [
      id,
      key,
      hash,
      response,
      request.customer,
      request.payment.token,
      items.reduce((sum, { quantity, price }) => sum + quantity * price.amount, 0),
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
    const earlier = await this.findByKey(key);
    if (earlier === undefined) throw new Error("a taken key has no order");
    return earlier;
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

/** Of the request as it is meant: the order of the fields and the spaces between them don't make it another. */
export function hashRequest(request: OrderRequest): Buffer {
  const sorted = JSON.stringify(request, (_key, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
  return createHash("sha256").update(sorted).digest();
}

/** The body of what was answered to a key, for a request that has that hash. */
export function answerTo(kept: KeptAnswer, hash: Buffer): string {
  if (kept.hash.equals(hash)) return kept.response;
  throw problem(
    422,
    "This idempotency-key was used for another order: take a new key for a new order.",
    {
      type: "idempotency-key-reused",
      errors: [
        { in: "header", pointer: "/idempotency-key", message: "was used with another body" },
      ],
    },
  );
}

const selectAnswer =
  "SELECT id, request_hash AS hash, response FROM orders WHERE idempotency_key = $1";

// One statement, one commit. It waits for whoever is inserting the same key right now. The saga's row comes with the order's.
const insertOrder = `
  WITH placed AS (
    INSERT INTO orders (id, idempotency_key, request_hash, response, customer, payment_token,
      total_amount, currency, request_id, traceparent)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $15)
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

// In one statement, so that all of it is of one moment.
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
