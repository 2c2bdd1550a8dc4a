import { problem, Type, Uuid, type App, type Database, type Service } from "@store/kit";
import { selectRefunds, toRefund, type RefundRow } from "../refunds/refundRows.ts";
import { Payment, type Dispute } from "./schemas.ts";

/**
 * Adds the staff's routes that read payments. The responses contain no names or cards. They must not be cached (`no-store`): they
 * go out of date and are confidential.
 */
export function addStaffRoutes(
  app: App,
  database: Database,
  staff: ReturnType<Service["staff"]>,
): void {
  const security = [{ staff: [] }];

  app.get(
    "/api/billing/payments",
    {
      onRequest: staff,
      schema: {
        operationId: "listPayments",
        summary: "Lists the payments of an order, oldest first",
        tags: ["payments"],
        security,
        querystring: Type.Object({ order: Uuid }),
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
      onRequest: staff,
      schema: {
        operationId: "getPayment",
        summary: "Returns a payment",
        tags: ["payments"],
        security,
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
  readonly decline_reason: string | null;
  readonly refunded: number;
  readonly refunds: readonly RefundRow[];
  readonly disputes: readonly DisputeRow[];
  readonly created_at: Date;
}

/** Aggregated as JSON, so times are strings. */
interface DisputeRow extends Pick<Dispute, "id" | "status" | "reason"> {
  readonly amount: number;
  readonly respond_by: string | null;
}

const selectPayments = `
  SELECT id, order_id, status, amount, currency, decline_reason, refunded, created_at,
    (SELECT coalesce(json_agg(refund ORDER BY refund.created_at, refund.id), '[]')
     FROM (${selectRefunds} WHERE payment_id = payments.id) AS refund) AS refunds,
    (SELECT coalesce(json_agg(disputes ORDER BY created_at, id), '[]')
     FROM disputes WHERE payment_id = payments.id) AS disputes
  FROM payments`;

function toPayment(row: PaymentRow): Payment {
  const { currency } = row;
  return {
    id: row.id,
    order: row.order_id,
    status: row.status,
    ...(row.decline_reason === null ? {} : { reason: row.decline_reason }),
    amount: { amount: row.amount, currency },
    refunded: { amount: row.refunded, currency },
    refunds: row.refunds.map(toRefund),
    disputes: row.disputes.map(({ id, status, reason, amount, respond_by }) => ({
      ...{ id, status, reason, amount: { amount, currency } },
      ...(respond_by === null ? {} : { respondBy: new Date(respond_by).toISOString() }),
    })),
    createdAt: row.created_at.toISOString(),
  };
}
