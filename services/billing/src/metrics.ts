import { addDatabaseGauges, Counter, type Database, type Registry } from "@store/kit";
import {
  ProviderRefusal,
  UnknownOutcomeError,
  providers,
  type AuthorisationOutcome,
  type PaymentProvider,
  type RefundOutcome,
  type ValidationOutcome,
} from "./providers/provider.ts";

/** Adds gauges of the payments and refunds that wait for the provider, for all replicas together. */
export function addPaymentMetrics(registry: Registry, database: Database): void {
  addDatabaseGauges(registry, {
    read: async () => withAllProviders(await database.query<ProviderCount>(unknownPayments)),
    label: BY_PROVIDER,
    gauges: {
      billing_payments_unknown: [
        "Payments whose outcome at the provider isn't known, including requests in progress.",
        ({ count }) => count,
      ],
    },
  });
  addDatabaseGauges(registry, {
    read: async () => withAllProviders(await database.query<ProviderCount>(pendingRefunds)),
    label: BY_PROVIDER,
    gauges: {
      billing_refunds_pending: [
        "Refunds that have not been carried out yet.",
        ({ count }) => count,
      ],
      billing_refunds_pending_oldest_seconds: [
        "Age of the oldest refund that has not been carried out yet, in seconds.",
        ({ seconds = 0 }) => seconds,
      ],
    },
  });
}

/** Wraps the provider and counts the calls of this replica by their outcome. */
export function countCalls(provider: PaymentProvider, registry: Registry): PaymentProvider {
  const calls = new Counter({
    name: "billing_provider_calls_total",
    help: "Calls to the payment provider by this replica and their outcomes; unknown: no definite answer; refused: refused for a reason that has nothing to do with the customer; error: an unexpected error.",
    labelNames: ["provider", "call", "answer"],
    registers: [registry],
  });
  // From zero: Prometheus computes no increase from a counter that appears with its first failure.
  for (const [call, answer] of alertedAnswers)
    calls.inc({ provider: provider.name, call, answer }, 0);
  const count = async <T>(
    call: string,
    outcome: Promise<T>,
    answerOf: (outcome: T) => string,
  ): Promise<T> => {
    const countAnswer = (answer: string) => {
      calls.inc({ provider: provider.name, call, answer });
    };
    try {
      const result = await outcome;
      countAnswer(answerOf(result));
      return result;
    } catch (error) {
      if (error instanceof ProviderRefusal) countAnswer("refused");
      else countAnswer(error instanceof UnknownOutcomeError ? "unknown" : "error");
      throw error;
    }
  };
  const reports = provider.reports?.bind(provider);
  return {
    name: provider.name,
    paymentMethods: () => provider.paymentMethods(),
    validate: (token) => count("validate", provider.validate(token), answerOfOutcome),
    authorise: (request) => count("authorise", provider.authorise(request), answerOfOutcome),
    capture: (payment) => count("capture", provider.capture(payment), (status) => status),
    void: (payment) => count("void", provider.void(payment), (status) => status),
    refund: (refund) => count("refund", provider.refund(refund), answerOfOutcome),
    ...(reports && { reports: (query) => count("reports", reports(query), () => "read") }),
  };
}

/** Calls and answers with an alert in docs/metrics.md. */
const alertedAnswers = [
  ...["validate", "authorise", "capture", "void", "refund"].flatMap((call) =>
    ["unknown", "refused"].map((answer) => [call, answer] as const),
  ),
  ["refund", "failed"] as const,
];

function answerOfOutcome(
  outcome: ValidationOutcome | AuthorisationOutcome | RefundOutcome,
): string {
  return "refusal" in outcome ? "refused" : outcome.status;
}

interface ProviderCount {
  readonly provider: string;
  readonly count: number;
  /** Age of the oldest refund, in seconds. Only for refunds. */
  readonly seconds?: number;
}

const BY_PROVIDER = ["provider", ({ provider }: ProviderCount) => provider] as const;

/** Adds a zero for each provider without a row. */
function withAllProviders(counted: readonly ProviderCount[]): ProviderCount[] {
  const others = providers.filter((name) => !counted.some(({ provider }) => provider === name));
  return [...counted, ...others.map((name) => ({ provider: name, count: 0 }))];
}

/** NULL marks a payment from before the column existed. */
const provider = "coalesce(provider, 'none') AS provider";

const unknownPayments = `
  SELECT ${provider}, count(*) AS count FROM payments WHERE status = 'pending' GROUP BY provider`;

const pendingRefunds = `
  SELECT ${provider}, count(*) AS count,
    extract(epoch FROM now() - min(refunds.created_at))::float8 AS seconds
  FROM refunds JOIN payments ON payments.id = payment_id
  WHERE refunds.status = 'pending' GROUP BY provider`;
