import { httpUrl, integer, oneOf, secretFile, type Database, type Service } from "@store/kit";
import { providers, type PaymentProvider } from "./provider.ts";
import { SimulatedProvider } from "./simulated/simulatedProvider.ts";

/** Creates the provider named by PAYMENT_PROVIDER from its environment variables. Defaults to the simulated provider. */
export async function createProvider(
  { environment }: Service,
  database: Database,
): Promise<PaymentProvider> {
  const { PAYMENT_PROVIDER } = environment({ PAYMENT_PROVIDER: oneOf(providers, "simulated") });
  switch (PAYMENT_PROVIDER) {
    case "simulated": {
      const variables = environment({
        SIMULATED_SLOW_MS: integer(0, 600_000, 5_000),
        SIMULATED_FLAKY_RATE: probability(0.5),
      });
      return new SimulatedProvider({
        database,
        slowMs: variables.SIMULATED_SLOW_MS,
        flakyRate: variables.SIMULATED_FLAKY_RATE,
      });
    }
    case "stripe": {
      const variables = environment({
        STRIPE_SECRET_KEY_FILE: secretFile(),
        STRIPE_API_URL: httpUrl("https://api.stripe.com"),
        STRIPE_TIMEOUT_MS: integer(100, 60_000, 5_000),
      });
      // Load Stripe's package only when used: it costs memory and start-up time.
      const { StripeProvider } = await import("./stripe/stripeProvider.ts");
      return new StripeProvider({
        key: variables.STRIPE_SECRET_KEY_FILE,
        url: variables.STRIPE_API_URL,
        timeout: variables.STRIPE_TIMEOUT_MS,
      });
    }
  }
}

/** Parses a probability from 0 (never) to 1 (always). */
function probability(fallback: number): (value: string | undefined) => number {
  return (value) => {
    if (value === undefined) return fallback;
    const number = Number(value);
    if (!/^[\d.]+$/.test(value) || !(number >= 0 && number <= 1))
      throw new Error(`must be a number from 0 to 1, as in 0.5, not ${JSON.stringify(value)}`);
    return number;
  };
}
