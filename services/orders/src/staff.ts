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

/** Orders on a page where the caller doesn't say how many. */
const PAGE = 20;

interface StaffRoutes {
  readonly database: Database;
  readonly orders: OrderStore;
  readonly staff: ReturnType<Service["staff"]>;
  /** Is told when an order is to go on. */
  readonly changed: () => void;
}

/** For the store's own people: what is going on, and what becomes of an order that stands still. */
export function addStaffRoutes(app: App, { database, orders, staff, changed }: StaffRoutes): void {
  app.get(
    "/api/orders",
    {
      onRequest: staff,
      schema: {
        operationId: "listOrders",
        summary: "The orders, newest first",
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
      // One more than is shown tells whether there is a next page.
      const values: unknown[] = [limit + 1];
      // A statement for each set of conditions, so that each has an index of its own.
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
        summary: "Lets an order go on now, at the step where it stands",
        description:
          "One that needs attention is tried again, and one that waits for its next attempt waits no longer. One that is " +
          "being worked on stays as it is. 409 nothing-to-retry if it has ended.",
        tags: ["staff"],
        security: [{ staff: [] }],
        params: Type.Object({ id: Uuid }),
        response: { 200: Order },
      },
    },
    async ({ params: { id } }, reply) => {
      await database.query(retryOrder, ["pending", null, id]);
      const hurried = await database.query(hurryOrder, [id]);
      changed();
      const order = await orders.find(id);
      if (order === undefined) throw problem(404, "There is no such order.");
      // Or it isn't any more: it goes on while we look.
      if (hurried.length === 0 && order.status !== "pending") {
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
        summary: "Has an order undone whose goods aren't taken yet",
        description:
          "One that needs attention, or waits for its next attempt, gives up its goods and its payment and ends as cancelled. " +
          "If its goods turn out to be taken after all, it goes on instead. Asking again changes nothing. " +
          "409 order-not-cancellable once its goods are taken; 409 order-in-progress while it is being worked on.",
        tags: ["staff"],
        security: [{ staff: [] }],
        params: Type.Object({ id: Uuid }),
        response: { 200: Order },
      },
    },
    async ({ params: { id } }, reply) => {
      const undone = await database.transaction(async (transaction) => {
        const sagas = await transaction.query(undoSaga, [id]);
        if (sagas.length === 0) return false;
        // What is being undone pays for nothing.
        await transaction.query("UPDATE orders SET payment_token = NULL WHERE id = $1", [id]);
        await transaction.query(reopenOrder, ["pending", null, id]);
        return true;
      });
      changed();
      const order = await orders.find(id);
      if (order === undefined) throw problem(404, "There is no such order.");
      if (!undone && order.status !== "cancelled") {
        const [saga] = await database.query<{ undoable: boolean }>(
          `SELECT ${isUndoable} AS undoable FROM sagas WHERE order_id = $1`,
          [id],
        );
        throw saga?.undoable === true ? inProgress() : notCancellable(order);
      }
      reply.header("cache-control", "no-store");
      return order;
    },
  );
}

function inProgress(): Problem {
  return problem(409, "The order is being worked on right now. Look again in a moment.", {
    type: "order-in-progress",
  });
}

function notCancellable({ status }: Order): Problem {
  const detail =
    status === "pending" || status === "needs_attention"
      ? "The order's goods are taken: it can only go on."
      : `The order is ${status}: it can't be cancelled any more.`;
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

const hurryOrder =
  "UPDATE sagas SET due_at = now() WHERE order_id = $1 AND lease IS NULL AND due_at IS NOT NULL RETURNING order_id";

/** After the commit of its reservation, an order only goes forward. */
const isUndoable = "step NOT IN ('capture', 'ship')";

// Not while a worker has it: that one may be past the commit without having written it yet. The release, which the worker
// asks for first, is granted only if no commit was, and keeps a late one from being granted.
const undoSaga = `
  UPDATE sagas SET step = CASE step WHEN 'void' THEN 'void' ELSE 'release' END,
    reason = coalesce(reason, 'cancelled_by_store'), attempts = 0, last_error = NULL, due_at = now()
  WHERE order_id = $1 AND lease IS NULL AND ${isUndoable} RETURNING order_id`;

const reopenOrder = changeStatus(
  "SELECT id AS order_id FROM orders WHERE id = $3 AND status = 'needs_attention'",
);
