import { passOn, UpstreamError, type Request, type Service } from "@store/kit";
import type { operations, paths } from "@store/contracts/public/billing";

/** What the store takes as a payment, by the provider that it has. */
export type PaymentMethods =
  operations["listPaymentMethods"]["responses"][200]["content"]["application/json"];

/** How long a page waits for it, in milliseconds: it is asked for with each checkout, and can do without. */
const TIMEOUT = 1_500;

/**
 * Knows what can be paid with, also while billing is away: orders are taken then as well, and paid for later. So what it
 * said last counts as long as it says nothing else.
 *
 * @returns what finds it out; that gives `undefined` where billing hasn't answered since this process started.
 */
export function paymentMethods({
  client,
}: Service): (request: Request) => Promise<PaymentMethods | undefined> {
  const billing = client<paths>("gateway", { timeout: TIMEOUT });
  let last: PaymentMethods | undefined;
  return async (request) => {
    try {
      const { data, response } = await billing.GET("/api/billing/payment-methods", {
        headers: passOn(request),
      });
      if (data !== undefined) last = data;
      else request.log.warn(`billing doesn't say what can be paid with: ${response.status}`);
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      request.log.warn(`billing doesn't say what can be paid with: ${error.message}`);
    }
    return last;
  };
}
