import { Type, Uuid, type App } from "@store/kit";
import { ShipmentChange, ShipmentReceipt, ShipmentRequest } from "./schemas.ts";
import type { Shipments } from "./shipments.ts";

/** Changes that one answer has where the caller doesn't say how many. */
const CHANGES = 100;

/** How other services have parcels sent. The gateway routes none of it. */
export function addShipmentRoutes(app: App, shipments: Shipments): void {
  app.put(
    "/internal/shipments/:id",
    {
      schema: {
        operationId: "createShipment",
        summary: "Has a parcel sent",
        description:
          "Ask as often as you like under the same id: it is sent once. 409 order-already-shipped; 422 shipment-differs.",
        tags: ["internal"],
        params: Type.Object({ id: Uuid }),
        body: ShipmentRequest,
        response: { 200: ShipmentReceipt },
      },
    },
    ({ params: { id }, body }) => shipments.create(id, body),
  );

  app.get(
    "/internal/shipments/changes",
    {
      schema: {
        operationId: "listShipmentChanges",
        summary: "What happened to shipments, in the order in which it did",
        description:
          "Give the last change that you have seen as `after`. None is skipped: a change that comes later has a greater number.",
        tags: ["internal"],
        querystring: Type.Object({
          after: Type.Optional(
            Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0 }),
          ),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: CHANGES })),
        }),
        response: { 200: Type.Object({ items: Type.Array(ShipmentChange) }) },
      },
    },
    async ({ query: { after = 0, limit = CHANGES } }) => ({
      items: await shipments.changes(after, limit),
    }),
  );
}
