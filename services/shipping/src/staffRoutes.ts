import { problem, Type, Uuid, type App, type Service } from "@store/kit";
import { Shipment, ShipmentPage, ShipmentStatus } from "./schemas.ts";
import type { Shipments } from "./shipments.ts";

/** Shipments on a page where the caller doesn't say how many. */
const PAGE = 20;

/**
 * How the store's own people send parcels. They see who gets them: nobody else does, so nothing on the way may keep it.
 */
export function addStaffRoutes(
  app: App,
  shipments: Shipments,
  staff: ReturnType<Service["staff"]>,
): void {
  const security = [{ staff: [] }];
  const params = Type.Object({ id: Uuid });
  const noStore = { "cache-control": "no-store" };

  app.get(
    "/api/shipping/shipments",
    {
      onRequest: staff,
      schema: {
        operationId: "listShipments",
        summary: "The shipment of an order, or those of a status, oldest first",
        description: "Say at least one of `order` and `status`.",
        tags: ["shipments"],
        security,
        querystring: Type.Object({
          order: Type.Optional(Uuid),
          status: Type.Optional(ShipmentStatus),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: PAGE })),
          after: Type.Optional(Uuid),
        }),
        response: { 200: ShipmentPage },
      },
    },
    async ({ query }, reply) => {
      if (query.order === undefined && query.status === undefined) {
        throw problem(400, "Say of which order or of which status.", {
          type: "filter-missing",
          errors: ["/order", "/status"].map((pointer) => ({
            ...{ in: "query", pointer },
            message: "one of order and status is missing",
          })),
        });
      }
      reply.headers(noStore);
      return shipments.list({ limit: PAGE, ...query });
    },
  );

  app.get(
    "/api/shipping/shipments/:id",
    {
      onRequest: staff,
      schema: {
        operationId: "getShipment",
        summary: "One shipment",
        tags: ["shipments"],
        security,
        params,
        response: { 200: Shipment },
      },
    },
    async ({ params: { id } }, reply) => {
      reply.headers(noStore);
      return shipments.find(id);
    },
  );

  app.post(
    "/api/shipping/shipments/:id/dispatch",
    {
      onRequest: staff,
      schema: {
        operationId: "dispatchShipment",
        summary: "Says that it has left",
        description: "Said again, it changes nothing.",
        tags: ["shipments"],
        security,
        params,
        response: { 200: Shipment },
      },
    },
    async ({ params: { id } }, reply) => {
      reply.headers(noStore);
      return shipments.dispatch(id);
    },
  );

  app.post(
    "/api/shipping/shipments/:id/deliver",
    {
      onRequest: staff,
      schema: {
        operationId: "deliverShipment",
        summary: "Says that it has arrived",
        description: "Said again, it changes nothing. 409 not-dispatched.",
        tags: ["shipments"],
        security,
        params,
        response: { 200: Shipment },
      },
    },
    async ({ params: { id } }, reply) => {
      reply.headers(noStore);
      return shipments.deliver(id);
    },
  );
}
