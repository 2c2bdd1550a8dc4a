import { problem, staffName, Type, Uuid, type App, type Problem } from "@store/kit";
import { Order } from "../orders/schemas.ts";
import { isAlertReason } from "../payments/paymentAlerts.ts";
import type { StaffRoutes } from "./staffRoutes.ts";

/** Adds the route with which staff end the attention that an order needs because of its payment. */
export function addResolveRoute(app: App, { orders, staffOrders, staff }: StaffRoutes): void {
  app.post(
    "/api/orders/:id/resolve",
    {
      onRequest: staff,
      schema: {
        operationId: "resolveOrder",
        summary: "Marks the payment alerts of an order as handled",
        description:
          "The order gets back the status that it had before it needed attention, unless an alert is left. Idempotent. 409 nothing-to-resolve " +
          "while it needs attention for another reason: read the newer alert, or retry or cancel the order.",
        tags: ["staff"],
        security: [{ staff: [] }],
        params: Type.Object({ id: Uuid }),
        querystring: Type.Object({
          through: Type.Optional(
            Type.Integer({
              minimum: 0,
              maximum: Number.MAX_SAFE_INTEGER,
              description:
                "ID of the newest alert that was read, 0 for none: one that has arrived since stays. Default: all are handled.",
            }),
          ),
        }),
        response: { 200: Order },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { through } = request.query;
      const isResolved = await staffOrders.resolve(id, staffName(request), through);
      const order = await orders.find(id);
      if (order === undefined) throw problem(404, "There is no such order.");
      if (!isResolved && order.status === "needs_attention") {
        throw nothingToResolve(order);
      }
      reply.header("cache-control", "no-store");
      return order;
    },
  );
}

function nothingToResolve({ reason }: Order): Problem {
  const detail = isAlertReason(reason)
    ? "Another report about its payment has arrived. Read it before you mark the order as handled."
    : "The order needs attention for another reason: retry or cancel it.";
  return problem(409, detail, { type: "nothing-to-resolve" });
}
