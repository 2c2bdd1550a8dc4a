import { problem, staffName, Type, Uuid, type App } from "@store/kit";
import { Order } from "../orders/schemas.ts";
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
          "The order gets back the status that it had before it needed attention. Idempotent. 409 nothing-to-resolve while it needs attention " +
          "for another reason: retry or cancel it.",
        tags: ["staff"],
        security: [{ staff: [] }],
        params: Type.Object({ id: Uuid }),
        response: { 200: Order },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const isResolved = await staffOrders.resolve(id, staffName(request));
      const order = await orders.find(id);
      if (order === undefined) throw problem(404, "There is no such order.");
      if (!isResolved && order.status === "needs_attention") {
        throw problem(409, "The order needs attention for another reason: retry or cancel it.", {
          type: "nothing-to-resolve",
        });
      }
      reply.header("cache-control", "no-store");
      return order;
    },
  );
}
