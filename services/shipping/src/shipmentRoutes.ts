import { Type, Uuid, type App } from "@store/kit";
import {
  CancelledShipment,
  ShipmentCancellation,
  ShipmentChange,
  ShipmentReceipt,
  ShipmentRequest,
} from "./schemas.ts";
import type { Shipments } from "./shipments.ts";

/** Default number of changes in a response. */
const CHANGES = 100;

/** Adds the internal routes with which other services create and follow shipments. The gateway doesn't route them. */
export function addShipmentRoutes(app: App, shipments: Shipments): void {
  app.put(
    "/internal/shipments/:id",
    {
      schema: {
        operationId: "createShipment",
        summary: "Creates the shipment of an order",
        description:
          "Idempotent: repeated requests under the same id create one shipment. 409 order-already-shipped, shipment-cancelled; 422 shipment-differs.",
        tags: ["internal"],
        params: Type.Object({ id: Uuid }),
        body: ShipmentRequest,
        response: { 200: ShipmentReceipt },
      },
    },
    ({ params: { id }, body }) => shipments.create(id, body),
  );

  app.post(
    "/internal/shipments/:id/cancel",
    {
      schema: {
        operationId: "cancelShipment",
        summary: "Cancels the shipment of an order, unless it is dispatched",
        description:
          "Idempotent. An unknown id is cancelled in advance: a later request to create it is refused. 409 shipment-dispatched, order-already-shipped.",
        tags: ["internal"],
        params: Type.Object({ id: Uuid }),
        body: ShipmentCancellation,
        response: { 200: CancelledShipment },
      },
    },
    ({ params: { id }, body }) => shipments.cancel(id, body.order),
  );

  app.get(
    "/internal/shipments/changes",
    {
      schema: {
        operationId: "listShipmentChanges",
        summary: "Lists the changes of shipments in their order",
        description:
          "Send the number of the last change that you have seen as `after`. No change is skipped: later changes have greater numbers.",
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
