import { IdempotencyKey, staffName, Type, Uuid, type App, type Service } from "@store/kit";
import type { Refunds } from "./refunds.ts";
import { Refund, RefundRequest, RestRefund } from "./schemas.ts";

/** Adds the staff's route that refunds a payment, and the internal one for cancelled orders. */
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
        summary: "Refunds a captured payment, completely or partly",
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

  app.post(
    "/internal/payments/:id/refund",
    {
      schema: {
        operationId: "refundRest",
        summary: "Refunds everything of a captured payment that isn't refunded yet",
        description:
          "Idempotent. The refund is stored and is carried out later if the provider doesn't answer. 404; 409 payment-not-captured, other-provider.",
        tags: ["internal"],
        params: Type.Object({ id: Uuid }),
        response: { 200: RestRefund },
      },
    },
    async ({ params: { id } }) => ({ id, status: await refunds.requestRest(id) }),
  );
}
