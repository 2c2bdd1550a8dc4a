import { problem, Type, Uuid, type App, type Database, type Static } from "@store/kit";

const Payment = Type.Object(
  {
    id: Uuid,
    order: Uuid,
    status: Type.Enum(["pending", "authorised", "captured", "refunded", "voided", "declined"], {
      type: "string",
      description:
        "pending: not known yet; authorised: held on the customer's account; captured: taken; refunded: paid back; " +
        "voided: given up before it was taken; declined: refused.",
    }),
    amount: Type.Object({
      amount: Type.Integer({
        minimum: 0,
        description: "In the currency's minor unit: cents, say.",
      }),
      currency: Type.String({ pattern: "^[A-Z]{3}$", description: "ISO 4217.", examples: ["AUD"] }),
    }),
    createdAt: Type.String({ format: "date-time" }),
  },
  { description: "What was asked of a customer for an order, and what came of it." },
);
type Payment = Static<typeof Payment>;

/**
 * Payments are found by the id of their order or by their own. Both are unguessable, and the answers say no more than who
 * placed the order knows: no name, no card, nothing of the payment provider's.
 * Nothing on the way may keep them: they go out of date, and they are nobody else's business.
 */
export function addPaymentRoutes(app: App, database: Database): void {
  app.get(
    "/api/billing/payments",
    {
      schema: {
        operationId: "listPayments",
        summary: "The payments of an order, oldest first",
        tags: ["payments"],
        querystring: Type.Object({ order: Uuid }, { additionalProperties: false }),
        response: { 200: Type.Object({ items: Type.Array(Payment) }) },
      },
    },
    async ({ query: { order } }, reply) => {
      const rows = await database.query<PaymentRow>(
        `${selectPayments} WHERE order_id = $1 ORDER BY created_at, id`,
        [order],
      );
      reply.header("cache-control", "no-store");
      return { items: rows.map(toPayment) };
    },
  );

  app.get(
    "/api/billing/payments/:id",
    {
      schema: {
        operationId: "getPayment",
        summary: "One payment",
        tags: ["payments"],
        params: Type.Object({ id: Uuid }),
        response: { 200: Payment },
      },
    },
    async ({ params: { id } }, reply) => {
      const [row] = await database.query<PaymentRow>(`${selectPayments} WHERE id = $1`, [id]);
      if (row === undefined) throw problem(404, `There is no payment ${id}.`);
      reply.header("cache-control", "no-store");
      return toPayment(row);
    },
  );
}

interface PaymentRow {
  readonly id: string;
  readonly order_id: string;
  readonly status: Payment["status"];
  readonly amount: number;
  readonly currency: string;
  readonly created_at: Date;
}

const selectPayments = `
  SELECT id, order_id, status, amount, currency, created_at
  FROM payments`;

function toPayment(row: PaymentRow): Payment {
  return {
    id: row.id,
    order: row.order_id,
    status: row.status,
    amount: { amount: row.amount, currency: row.currency },
    createdAt: row.created_at.toISOString(),
  };
}
