import { problem, SkuList, staffName, Type, Uuid, type App, type Service } from "@store/kit";
import { Shipment, ShipmentPage, ShipmentStatus, UnpackedProduct } from "./schemas.ts";
import type { Shipments } from "./shipments.ts";

/** Default page size. */
const PAGE = 20;

/** Adds the staff routes that list, dispatch and deliver parcels. No cache may store their responses, which contain personal data. */
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
        summary: "Lists the shipment of an order, or the shipments with a status, oldest first",
        description: "At least one of `order` and `status` is required.",
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
        throw problem(400, "One of the parameters order and status is required.", {
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
    "/api/shipping/unpacked",
    {
      onRequest: staff,
      schema: {
        operationId: "listUnpacked",
        summary: "Lists products that are sold and not packed yet",
        description:
          "These goods are on the shelf, but no longer in inventory's `onHand`: whoever counts the shelf subtracts them, and those of " +
          "orders' `listCommitted`, which have no parcel yet.",
        tags: ["shipments"],
        security,
        querystring: Type.Object({ skus: SkuList }),
        response: { 200: Type.Object({ items: Type.Array(UnpackedProduct) }) },
      },
    },
    async ({ query: { skus } }, reply) => {
      reply.headers(noStore);
      return { items: await shipments.unpacked(skus.split(",")) };
    },
  );

  app.get(
    "/api/shipping/shipments/:id",
    {
      onRequest: staff,
      schema: {
        operationId: "getShipment",
        summary: "Returns a shipment",
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
        summary: "Marks a shipment as dispatched",
        description: "Idempotent. 409 shipment-cancelled.",
        tags: ["shipments"],
        security,
        params,
        response: { 200: Shipment },
      },
    },
    async (request, reply) => {
      reply.headers(noStore);
      return shipments.dispatch(request.params.id, staffName(request));
    },
  );

  app.post(
    "/api/shipping/shipments/:id/deliver",
    {
      onRequest: staff,
      schema: {
        operationId: "deliverShipment",
        summary: "Marks a shipment as delivered",
        description: "Idempotent. 409 not-dispatched, shipment-cancelled.",
        tags: ["shipments"],
        security,
        params,
        response: { 200: Shipment },
      },
    },
    async (request, reply) => {
      reply.headers(noStore);
      return shipments.deliver(request.params.id, staffName(request));
    },
  );
}
