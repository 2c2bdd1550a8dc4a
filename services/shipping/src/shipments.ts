import { problem, Type, Uuid, type App, type Database, type Static } from "@store/kit";

const Shipment = Type.Object(
  {
    id: Uuid,
    order: Uuid,
    status: Type.Enum(["pending", "dispatched", "delivered", "cancelled"], { type: "string" }),
    createdAt: Type.String({ format: "date-time" }),
    dispatchedAt: Type.Union([Type.String({ format: "date-time" }), Type.Null()], {
      description: "When it left; null before.",
    }),
    deliveredAt: Type.Union([Type.String({ format: "date-time" }), Type.Null()], {
      description: "When it arrived; null before.",
    }),
  },
  { description: "The parcel of an order, and how far it has come." },
);
type Shipment = Static<typeof Shipment>;

/**
 * Shipments are found by the id of their order or by their own. Both are unguessable, and the answers say no more than who
 * placed the order knows: not even where the parcel goes.
 * Nothing on the way may keep them: they go out of date, and they are nobody else's business.
 */
export function addShipmentRoutes(app: App, database: Database): void {
  app.get(
    "/api/shipping/shipments",
    {
      schema: {
        operationId: "listShipments",
        summary: "The shipments of an order: one, or none yet",
        tags: ["shipments"],
        querystring: Type.Object({ order: Uuid }, { additionalProperties: false }),
        response: { 200: Type.Object({ items: Type.Array(Shipment) }) },
      },
    },
    async ({ query: { order } }, reply) => {
      const rows = await database.query<ShipmentRow>(`${selectShipments} WHERE order_id = $1`, [
        order,
      ]);
      reply.header("cache-control", "no-store");
      return { items: rows.map(toShipment) };
    },
  );

  app.get(
    "/api/shipping/shipments/:id",
    {
      schema: {
        operationId: "getShipment",
        summary: "One shipment",
        tags: ["shipments"],
        params: Type.Object({ id: Uuid }),
        response: { 200: Shipment },
      },
    },
    async ({ params: { id } }, reply) => {
      const [row] = await database.query<ShipmentRow>(`${selectShipments} WHERE id = $1`, [id]);
      if (row === undefined) throw problem(404, `There is no shipment ${id}.`);
      reply.header("cache-control", "no-store");
      return toShipment(row);
    },
  );
}

interface ShipmentRow {
  readonly id: string;
  readonly order_id: string;
  readonly status: Shipment["status"];
  readonly created_at: Date;
  readonly dispatched_at: Date | null;
  readonly delivered_at: Date | null;
}

const selectShipments = `
  SELECT id, order_id, status, created_at, dispatched_at, delivered_at
  FROM shipments`;

function toShipment(row: ShipmentRow): Shipment {
  return {
    id: row.id,
    order: row.order_id,
    status: row.status,
    createdAt: row.created_at.toISOString(),
    dispatchedAt: row.dispatched_at?.toISOString() ?? null,
    deliveredAt: row.delivered_at?.toISOString() ?? null,
  };
}
