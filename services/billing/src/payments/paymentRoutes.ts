import { Type, Uuid, type App } from "@store/kit";
import type { Payments } from "./payments.ts";
import { Authorisation, Capture, PaymentRequest, Void } from "./schemas.ts";

const params = Type.Object({ id: Uuid });

const idempotent =
  "Idempotent by the id: repeated requests take effect once. 503: the outcome isn't known yet; repeat the request.";

/** Adds the internal routes to authorise, capture and void payments. The gateway doesn't route them. */
export function addPaymentRoutes(app: App, payments: Payments): void {
  app.put(
    "/internal/payments/:id",
    {
      schema: {
        operationId: "authorisePayment",
        summary: "Authorises a payment: holds an amount on the customer's account",
        description: `${idempotent} 409 payment-voided, order-already-paid; 422 payment-differs.`,
        tags: ["internal"],
        params,
        body: PaymentRequest,
        response: { 200: Authorisation },
      },
    },
    ({ params: { id }, body }) => payments.authorise(id, body),
  );

  app.post(
    "/internal/payments/:id/capture",
    {
      schema: {
        operationId: "capturePayment",
        summary: "Captures the whole authorised amount",
        description: `${idempotent} 404; 409 payment-voided, payment-declined, payment-pending, capture-refused (the payment stays authorised).`,
        tags: ["internal"],
        params,
        response: { 200: Capture },
      },
    },
    async ({ params: { id } }) => ({ id, status: await payments.capture(id) }),
  );

  app.post(
    "/internal/payments/:id/void",
    {
      schema: {
        operationId: "voidPayment",
        summary: "Voids a payment: releases the authorised amount",
        description: `${idempotent} An unknown id is voided in advance: a later authorisation is refused. 409 payment-captured, void-refused (the payment stays as it is).`,
        tags: ["internal"],
        params,
        response: { 200: Void },
      },
    },
    async ({ params: { id } }) => ({ id, status: await payments.void(id) }),
  );
}
