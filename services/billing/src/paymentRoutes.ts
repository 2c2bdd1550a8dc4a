import { Type, Uuid, type App } from "@store/kit";
import type { Payments } from "./payments.ts";
import { Authorisation, Capture, PaymentRequest, Void } from "./schemas.ts";

const params = Type.Object({ id: Uuid });

const idempotent =
  "Ask as often as you like under the same id: it is done once. 503 says that it isn't known yet what came of it: ask again.";

/** How other services have money taken. The gateway routes none of it. */
export function addPaymentRoutes(app: App, payments: Payments): void {
  app.put(
    "/internal/payments/:id",
    {
      schema: {
        operationId: "authorisePayment",
        summary: "Holds an amount on a customer's account",
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
        summary: "Takes all of what was authorised",
        description: `${idempotent} 404; 409 payment-voided, payment-declined, payment-pending.`,
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
        summary: "Lets go of what was authorised",
        description: `${idempotent} An id that isn't known is refused from then on. 409 payment-captured.`,
        tags: ["internal"],
        params,
        response: { 200: Void },
      },
    },
    async ({ params: { id } }) => ({ id, status: await payments.void(id) }),
  );
}
