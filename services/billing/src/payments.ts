import { Type, Uuid, type App, type Database, type Static } from "@store/kit";

const PaymentStatus = Type.Enum([
  "unknown",
  "authorised",
  "captured",
  "voided",
  "refunded",
  "declined",
]);

const Payment = Type.Object({
  id: Uuid,
  order: Uuid,
  status: PaymentStatus,
  amount: Type.Object({
    amount: Type.Integer({ description: "In the currency's minor unit: cents, say." }),
    currency: Type.String({ description: "ISO 4217." }),
  }),
  createdAt: Type.String({ format: "date-time" }),
});

export function addPaymentRoutes(app: App, database: Database): void {
  app.get(
    "/api/billing/payments",
    {
      schema: {
        operationId: "listPayments",
        summary: "The payments of an order",
        // Required: knowing an order's id is what entitles to see what was paid for it.
        querystring: Type.Object({ order: Uuid }),
        response: { 200: Type.Object({ items: Type.Array(Payment) }) },
      },
    },
    async ({ query: { order } }, reply) => {
      const rows = await database.query<PaymentRow>(
        `SELECT id, status, amount, currency, created_at FROM payments
         WHERE order_id = $1 ORDER BY created_at, id`,
        [order],
      );
      reply.header("cache-control", "no-store");
      return {
        items: rows.map(({ id, status, amount, currency, created_at }) => ({
          id,
          order,
          status,
          amount: { amount, currency },
          createdAt: created_at.toISOString(),
        })),
      };
    },
  );
}

interface PaymentRow {
  readonly id: string;
  readonly status: Static<typeof PaymentStatus>;
  readonly amount: number;
  readonly currency: string;
  readonly created_at: Date;
}
