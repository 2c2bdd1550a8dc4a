import { addDatabaseGauges, Counter, type Database, type Registry } from "@store/kit";
import { ProviderUnknown, providers, type PaymentProvider } from "./provider.ts";

/** Shows what waits for the provider, of all replicas together. */
export function addPaymentMetrics(registry: Registry, database: Database): void {
  addDatabaseGauges(registry, {
    read: async () => ofEachProvider(await database.query<Counted>(unknownPayments)),
    label: BY_PROVIDER,
    gauges: {
      billing_payments_unknown: [
        "Payments of which it isn't known what came of asking the provider for them, those just being asked for included.",
        ({ count }) => count,
      ],
    },
  });
  addDatabaseGauges(registry, {
    read: async () => ofEachProvider(await database.query<Counted>(pendingRefunds)),
    label: BY_PROVIDER,
    gauges: {
      billing_refunds_pending: ["Refunds that aren't carried out yet.", ({ count }) => count],
      billing_refunds_pending_oldest_seconds: [
        "How long ago the oldest refund was asked for that isn't carried out yet, in seconds.",
        ({ seconds = 0 }) => seconds,
      ],
    },
  });
}

/** The provider, with each call of this replica counted by what came of it. */
export function counted(provider: PaymentProvider, registry: Registry): PaymentProvider {
  const calls = new Counter({
    name: "billing_provider_calls_total",
    help: "Calls of the payment provider by this replica and what came of them; unknown: no definite answer; error: it broke off.",
    labelNames: ["provider", "call", "answer"],
    registers: [registry],
  });
  const count = async <T>(
    call: string,
    outcome: Promise<T>,
    answerOf: (outcome: T) => string,
  ): Promise<T> => {
    const note = (answer: string) => {
      calls.inc({ provider: provider.name, call, answer });
    };
    try {
      const known = await outcome;
      note(answerOf(known));
      return known;
    } catch (error) {
      note(error instanceof ProviderUnknown ? "unknown" : "error");
      throw error;
    }
  };
  return {
    name: provider.name,
    paymentMethods: () => provider.paymentMethods(),
    authorise: (request) => count("authorise", provider.authorise(request), ({ status }) => status),
    capture: (payment) => count("capture", provider.capture(payment), (status) => status),
    void: (payment) => count("void", provider.void(payment), (status) => status),
    refund: (refund) => count("refund", provider.refund(refund), ({ status }) => status),
  };
}

interface Counted {
  readonly provider: string;
  readonly count: number;
  /** Of refunds. */
  readonly seconds?: number;
}

const BY_PROVIDER = ["provider", ({ provider }: Counted) => provider] as const;

/** With a zero for each provider of which there is nothing. */
function ofEachProvider(counted: readonly Counted[]): Counted[] {
  const others = providers.filter((name) => !counted.some(({ provider }) => provider === name));
  return [...counted, ...others.map((name) => ({ provider: name, count: 0 }))];
}

/** NULL: from before there were providers. */
const provider = "coalesce(provider, 'none') AS provider";

const unknownPayments = `
  SELECT ${provider}, count(*) AS count FROM payments WHERE status = 'pending' GROUP BY provider`;

const pendingRefunds = `
  SELECT ${provider}, count(*) AS count,
    extract(epoch FROM now() - min(refunds.created_at))::float8 AS seconds
  FROM refunds JOIN payments ON payments.id = payment_id
  WHERE refunds.status = 'pending' GROUP BY provider`;
