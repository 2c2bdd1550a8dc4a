import { IdempotencyKey, staffName, Type, Uuid, type App, type Service } from "@store/kit";
import type { Refunds } from "./refunds.ts";
import { Refund, RefundRequest } from "./schemas.ts";

/** Adds the staff's route that refunds a payment. */
export function addRefundRoutes(
  app: App,
  refunds: Refunds,
  staff: ReturnType<Service["staff"]>,
): void {
  app.post(
    "/api/billing/payments/:id/refunds",
    {
      onRequest: staff,
      schema: {
        operationId: "refundPayment",
        summary: "Refund a captured payment, completely or partly",
        description:
          "The same idempotency-key and body get the same refund in its current state; another body is refused (422). " +
          "More than the remaining amount: 409 refund-exceeds. Not captured: 409 payment-not-captured.",
        tags: ["payments"],
        security: [{ staff: [] }],
        params: Type.Object({ id: Uuid }),
        // Required: after a timeout or status 503, a repeated request without a key would be a second refund.
        headers: Type.Object({ "idempotency-key": IdempotencyKey }),
        body: RefundRequest,
        response: { 201: Refund },
      },
    },
    async (request, reply) => {
      const { params, headers, body } = request;
      const refund = await refunds.request({
        payment: params.id,
        request: body,
        key: headers["idempotency-key"],
        staff: staffName(request),
      });
      return reply.code(201).header("cache-control", "no-store").send(refund);
    },
  );
}
