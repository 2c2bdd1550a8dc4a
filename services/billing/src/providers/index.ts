import { integer, oneOf, type Database, type Service } from "@store/kit";
import { providers, type PaymentProvider } from "../provider.ts";
import { SimulatedProvider } from "./simulated.ts";

/** The provider that PAYMENT_PROVIDER names, by the variables that it has. */
export function createProvider(service: Service, database: Database): PaymentProvider {
  const { SIMULATED_SLOW_MS, SIMULATED_FLAKY_RATE } = service.environment({
    PAYMENT_PROVIDER: oneOf(providers, "simulated"),
    SIMULATED_SLOW_MS: integer(0, 600_000, 5_000),
    SIMULATED_FLAKY_RATE: rate(0.5),
  });
  return new SimulatedProvider({
    database,
    slowMs: SIMULATED_SLOW_MS,
    flakyRate: SIMULATED_FLAKY_RATE,
  });
}

/** A share, from 0 for never to 1 for always. */
function rate(fallback: number): (value: string | undefined) => number {
  return (value) => {
    if (value === undefined) return fallback;
    const number = Number(value);
    if (!/^[\d.]+$/.test(value) || !(number >= 0 && number <= 1))
      throw new Error(`must be a number from 0 to 1, as in 0.5, not ${JSON.stringify(value)}`);
    return number;
  };
}
