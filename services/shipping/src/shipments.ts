import { Type, Uuid, type App, type Database, type Static } from "@store/kit";

const ShipmentStatus = Type.Enum(["created", "dispatched", "delivered", "cancelled"]);

const Shipment = Type.Object({
  id: Uuid,
  order: Uuid,
  status: ShipmentStatus,
  createdAt: Type.String({ format: "date-time" }),
  dispatchedAt: Type.Optional(Type.String({ format: "date-time" })),
  deliveredAt: Type.Optional(Type.String({ format: "date-time" })),
});

export function addShipmentRoutes(app: App, database: Database): void {
  app.get(
    "/api/shipping/shipments",
    {
      schema: {
        operationId: "listShipments",
        summary: "The parcels of an order",
        // Required: knowing an order's id is what entitles to see where its parcels are.
        querystring: Type.Object({ order: Uuid }),
        response: { 200: Type.Object({ items: Type.Array(Shipment) }) },
      },
    },
    async ({ query: { order } }, reply) => {
      const rows = await database.query<ShipmentRow>(
        `SELECT id, status, created_at, dispatched_at, delivered_at FROM shipments
         WHERE order_id = $1 ORDER BY created_at, id`,
        [order],
      );
      reply.header("cache-control", "no-store");
      return {
        items: rows.map(({ id, status, created_at, dispatched_at, delivered_at }) => ({
          id,
          order,
          status,
          createdAt: created_at.toISOString(),
          ...(dispatched_at === null ? {} : { dispatchedAt: dispatched_at.toISOString() }),
          ...(delivered_at === null ? {} : { deliveredAt: delivered_at.toISOString() }),
        })),
      };
    },
  );
}

interface ShipmentRow {
  readonly id: string;
  readonly status: Static<typeof ShipmentStatus>;
  readonly created_at: Date;
  readonly dispatched_at: Date | null;
  readonly delivered_at: Date | null;
}
