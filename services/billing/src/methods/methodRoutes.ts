import type { App } from "@store/kit";
import type { PaymentProvider } from "../providers/provider.ts";
import { PaymentMethods } from "./schemas.ts";

/** Adds the public route that lists the payment methods, so that a front end needs no knowledge of the provider. */
export function addMethodRoutes(app: App, provider: PaymentProvider): void {
  app.get(
    "/api/billing/payment-methods",
    {
      schema: {
        operationId: "listPaymentMethods",
        summary: "Lists the accepted payment methods",
        tags: ["payment methods"],
        response: { 200: PaymentMethods },
      },
    },
    (_request, reply) => {
      // The methods depend on the provider and its key. A cached list could offer one that is no longer accepted.
      reply.header("cache-control", "no-store");
      return provider.paymentMethods();
    },
  );
}
