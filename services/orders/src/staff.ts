import {
  problem,
  Type,
  Uuid,
  type App,
  type Database,
  type Problem,
  type Service,
} from "@store/kit";
import { Order, OrderStatus, StaffOrderPage, type StaffOrder } from "./schemas.ts";
import { changeStatus } from "./status.ts";
import type { OrderStore } from "./store.ts";

/** Default number of orders on a page. */
const PAGE = 20;

interface StaffRoutes {
  readonly database: Database;
  readonly orders: OrderStore;
  readonly staff: ReturnType<Service["staff"]>;
  /** Called when an order has become due. */
  readonly changed: () => void;
}

/** Adds the routes for staff: list orders, retry an order, cancel an order. */
export function addStaffRoutes(app: App, { database, orders, staff, changed }: StaffRoutes): void {
  app.get(
    "/api/orders",
    {
      onRequest: staff,
      schema: {
        operationId: "listOrders",
        summary: "Lists orders, newest first",
        tags: ["staff"],
        security: [{ staff: [] }],
        querystring: Type.Object({
          status: Type.Optional(OrderStatus),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: PAGE })),
          after: Type.Optional(Uuid),
        }),
        response: { 200: StaffOrderPage },
      },
    },
    async ({ query: { status = null, limit = PAGE, after = null } }, reply) => {
      // One more than shown, to know whether there is a next page.
      const values: unknown[] = [limit + 1];
      // A separate statement per set of conditions, so that each can use its own index.
      const conditions = [
        status !== null && `status = $${values.push(status)}`,
        after !== null &&
          `(placed_at, id) < (SELECT placed_at, id FROM orders WHERE id = $${values.push(after)})`,
      ].filter((condition) => condition !== false);
      const rows = await database.query<StaffRow>(list(conditions), values);
      const items = rows.slice(0, limit).map(toStaffOrder);
      reply.header("cache-control", "no-store");
      return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
    },
  );

  app.post(
    "/api/orders/:id/retry",
    {
      onRequest: staff,
      schema: {
        operationId: "retryOrder",
        summary: "Retries an order immediately at its current step",
        description:
          "Retries an order that needs attention or waits for its next attempt. An order that is being processed stays as it " +
          "is. 409 nothing-to-retry if the order has ended.",
        tags: ["staff"],
        security: [{ staff: [] }],
        params: Type.Object({ id: Uuid }),
        response: { 200: Order },
      },
    },
    async ({ params: { id } }, reply) => {
      await database.query(retryOrder, ["pending", null, id]);
      const madeDue = await database.query(makeOrderDue, [id]);
      changed();
      const order = await orders.find(id);
      if (order === undefined) throw problem(404, "There is no such order.");
      // A pending order may be in progress already, which is fine.
      if (madeDue.length === 0 && order.status !== "pending") {
        throw problem(409, `The order is ${order.status}: there is nothing to retry.`, {
          type: "nothing-to-retry",
        });
      }
      reply.header("cache-control", "no-store");
      return order;
    },
  );

  app.post(
    "/api/orders/:id/cancel",
    {
      onRequest: staff,
      schema: {
        operationId: "cancelOrder",
        summary: "Cancels an order whose goods aren't committed yet",
        description:
          "Cancels an order that needs attention or waits for its next attempt: releases its goods and voids its payment. " +
          "If its goods turn out to be committed already, the order continues instead. Idempotent. " +
          "409 order-not-cancellable after its goods are committed; 409 order-in-progress while it is being processed.",
        tags: ["staff"],
        security: [{ staff: [] }],
        params: Type.Object({ id: Uuid }),
        response: { 200: Order },
      },
    },
    async ({ params: { id } }, reply) => {
      const cancelling = await database.transaction(async (transaction) => {
        const sagas = await transaction.query(cancelSaga, [id]);
        if (sagas.length === 0) return false;
        // A cancelled order needs no payment token.
        await transaction.query("UPDATE orders SET payment_token = NULL WHERE id = $1", [id]);
        await transaction.query(reopenOrder, ["pending", null, id]);
        return true;
      });
      changed();
      const order = await orders.find(id);
      if (order === undefined) throw problem(404, "There is no such order.");
      if (!cancelling && order.status !== "cancelled") {
        const [saga] = await database.query<{ cancellable: boolean }>(
          `SELECT ${isCancellable} AS cancellable FROM sagas WHERE order_id = $1`,
          [id],
        );
        throw saga?.cancellable === true ? inProgress() : notCancellable(order);
      }
      reply.header("cache-control", "no-store");
      return order;
    },
  );
}

function inProgress(): Problem {
  return problem(409, "The order is being processed. Try again in a moment.", {
    type: "order-in-progress",
  });
}

function notCancellable({ status }: Order): Problem {
  const detail =
    status === "pending" || status === "needs_attention"
      ? "The order's goods are committed, so it can't be cancelled."
      : `The order is ${status} and can't be cancelled.`;
  return problem(409, detail, { type: "order-not-cancellable" });
}

interface StaffRow extends Omit<StaffOrder, "reason" | "lastError" | "total" | "placedAt"> {
  readonly reason: string | null;
  readonly lastError: string | null;
  readonly amount: number;
  readonly currency: string;
  readonly placedAt: Date;
}

function toStaffOrder({
  reason,
  lastError,
  amount,
  currency,
  placedAt,
  ...row
}: StaffRow): StaffOrder {
  return {
    ...row,
    ...(reason === null ? {} : { reason }),
    ...(lastError === null ? {} : { lastError }),
    total: { amount, currency },
    placedAt: placedAt.toISOString(),
  };
}

const list = (conditions: readonly string[]) => `
  SELECT id, status, orders.reason, total_amount AS amount, currency, placed_at AS "placedAt",
    json_build_object('name', customer->>'name', 'email', customer->>'email') AS customer,
    coalesce(step, 'done') AS step, coalesce(attempts, 0) AS attempts, last_error AS "lastError"
  FROM orders LEFT JOIN sagas ON order_id = id
  WHERE ${["true", ...conditions].join(" AND ")}
  ORDER BY placed_at DESC, id DESC LIMIT $1`;

const retryOrder = changeStatus(
  "UPDATE sagas SET due_at = now(), attempts = 0 WHERE order_id = $3 AND due_at IS NULL RETURNING order_id",
);

const makeOrderDue =
  "UPDATE sagas SET due_at = now() WHERE order_id = $1 AND lease IS NULL AND due_at IS NOT NULL RETURNING order_id";

/** SQL condition: the reservation isn't committed. After its commit an order can't be cancelled. */
const isCancellable = "step NOT IN ('capture', 'ship')";

// Not while a worker has the lease: it may have committed without having saved that yet. The worker starts with the release,
// which inventory grants only if nothing was committed, and which makes inventory refuse a late commit.
const cancelSaga = `
  UPDATE sagas SET step = CASE step WHEN 'void' THEN 'void' ELSE 'release' END,
    reason = coalesce(reason, 'cancelled_by_store'), attempts = 0, last_error = NULL, due_at = now()
  WHERE order_id = $1 AND lease IS NULL AND ${isCancellable} RETURNING order_id`;

const reopenOrder = changeStatus(
  "SELECT id AS order_id FROM orders WHERE id = $3 AND status = 'needs_attention'",
);
