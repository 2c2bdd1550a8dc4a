import type { App } from "@store/kit";
import type { PaymentProvider } from "./provider.ts";
import { PaymentMethods } from "./schemas.ts";

/** Tells everybody what can be paid with, so that no front end has to know the provider. */
export function addMethodRoutes(app: App, provider: PaymentProvider): void {
  app.get(
    "/api/billing/payment-methods",
    {
      schema: {
        operationId: "listPaymentMethods",
        summary: "What an order can be paid with",
        tags: ["payment methods"],
        response: { 200: PaymentMethods },
      },
    },
    (_request, reply) => {
      // It changes with the provider and its key, and nobody may be offered what isn't taken any more.
      reply.header("cache-control", "no-store");
      return provider.paymentMethods();
    },
  );
}
