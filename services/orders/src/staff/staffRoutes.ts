import { problem, staffName, Type, Uuid, type App, type Problem, type Service } from "@store/kit";
import type { OrderStore } from "../orders/orderStore.ts";
import { Order, OrderStatus } from "../orders/schemas.ts";
import { addResolveRoute } from "./resolveRoute.ts";
import { StaffAction, StaffOrderPage } from "./schemas.ts";
import type { StaffOrders } from "./staffOrders.ts";

/** Default number of orders on a page. */
const PAGE = 20;

export interface StaffRoutes {
  readonly orders: OrderStore;
  readonly staffOrders: StaffOrders;
  /** Hook that rejects requests without the staff token. */
  readonly staff: ReturnType<Service["staff"]>;
  /** Called when an order has become due. */
  readonly onDue: () => void;
}

/** Adds the routes for staff: list orders, retry, cancel or resolve an order, list what staff did. The responses must not be cached: they go out of date. */
export function addStaffRoutes(app: App, routes: StaffRoutes): void {
  addListRoute(app, routes);
  addRetryRoute(app, routes);
  addCancelRoute(app, routes);
  addResolveRoute(app, routes);
  addActionsRoute(app, routes);
}

function addListRoute(app: App, { staffOrders, staff }: StaffRoutes): void {
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
          order: Type.Optional(Uuid),
          status: Type.Optional(OrderStatus),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: PAGE })),
          after: Type.Optional(Uuid),
        }),
        response: { 200: StaffOrderPage },
      },
    },
    async ({ query: { limit = PAGE, ...filter } }, reply) => {
      reply.header("cache-control", "no-store");
      return staffOrders.list({ ...filter, limit });
    },
  );
}

function addRetryRoute(app: App, { orders, staffOrders, staff, onDue }: StaffRoutes): void {
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
    async (request, reply) => {
      const { id } = request.params;
      const isDue = await staffOrders.retry(id, staffName(request));
      onDue();
      const order = await orders.find(id);
      if (order === undefined) throw problem(404, "There is no such order.");
      // A pending order may be in progress already, which is fine.
      if (!isDue && order.status !== "pending") throw nothingToRetry(order);
      reply.header("cache-control", "no-store");
      return order;
    },
  );
}

function addCancelRoute(app: App, { orders, staffOrders, staff, onDue }: StaffRoutes): void {
  app.post(
    "/api/orders/:id/cancel",
    {
      onRequest: staff,
      schema: {
        operationId: "cancelOrder",
        summary: "Cancels an order whose parcel isn't dispatched yet",
        description:
          "Cancels an order that needs attention, waits for its next attempt or is confirmed: cancels its parcel, releases or returns its " +
          "goods, and voids or refunds its payment. If its parcel turns out to be dispatched, or its payment or goods to be taken meanwhile, the order " +
          "continues instead. Idempotent. 409 order-not-cancellable after the dispatch; 409 order-in-progress while it is being processed.",
        tags: ["staff"],
        security: [{ staff: [] }],
        params: Type.Object({ id: Uuid }),
        response: { 200: Order },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const isCancelling = await staffOrders.cancel(id, staffName(request));
      onDue();
      const order = await orders.find(id);
      if (order === undefined) throw problem(404, "There is no such order.");
      if (!isCancelling && order.status !== "cancelled")
        throw (await staffOrders.isInProgress(id)) ? inProgress() : notCancellable(order);
      reply.header("cache-control", "no-store");
      return order;
    },
  );
}

function addActionsRoute(app: App, { staffOrders, staff }: StaffRoutes): void {
  app.get(
    "/api/orders/:id/staff-actions",
    {
      onRequest: staff,
      schema: {
        operationId: "listStaffActions",
        summary: "Lists what staff have done to an order, oldest first",
        tags: ["staff"],
        security: [{ staff: [] }],
        params: Type.Object({ id: Uuid }),
        response: { 200: Type.Object({ items: Type.Array(StaffAction) }) },
      },
    },
    async ({ params: { id } }, reply) => {
      reply.header("cache-control", "no-store");
      return { items: await staffOrders.actions(id) };
    },
  );
}

function nothingToRetry({ status }: Order): Problem {
  const detail =
    status === "needs_attention"
      ? "No step of the order was refused: it needs attention because of its payment. Resolve it instead."
      : `The order is ${status}: there is nothing to retry.`;
  return problem(409, detail, { type: "nothing-to-retry" });
}

function inProgress(): Problem {
  return problem(409, "The order is being processed. Try again in a moment.", {
    type: "order-in-progress",
  });
}

function notCancellable({ status }: Order): Problem {
  return problem(409, `The order is ${status} and can't be cancelled.`, {
    type: "order-not-cancellable",
  });
}
