import { forwardCorrelationHeaders, UpstreamError, type Request, type Service } from "@store/kit";
import type { operations, paths } from "@store/contracts/public/billing";

/** The payment methods of the store's payment provider. */
export type PaymentMethods =
  operations["listPaymentMethods"]["responses"][200]["content"]["application/json"];

/** Timeout in milliseconds. It is short because every checkout page waits for it, and works without the answer. */
const TIMEOUT = 1_500;

/**
 * Creates a function that returns the payment methods that billing publishes. While billing is down it returns the last known
 * ones: orders are accepted then, too, and charged later.
 *
 * @returns the function; it returns `undefined` if billing has not answered since this process started.
 */
export function paymentMethodsClient({
  client,
}: Service): (request: Request) => Promise<PaymentMethods | undefined> {
  const billing = client<paths>("gateway", { timeout: TIMEOUT });
  let lastKnown: PaymentMethods | undefined;
  return async (request) => {
    try {
      const { data, response } = await billing.GET("/api/billing/payment-methods", {
        headers: forwardCorrelationHeaders(request),
      });
      if (data !== undefined) lastKnown = data;
      else request.log.warn(`billing returned no payment methods: ${response.status}`);
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      request.log.warn(`billing returned no payment methods: ${error.message}`);
    }
    return lastKnown;
  };
}
