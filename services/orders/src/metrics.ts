import { addDatabaseGauges, Counter, type Registry } from "@store/kit";
import { saga, type Step } from "./saga.ts";
import type { Census, SagaStore } from "./sagaStore.ts";

/** Adds the saga's metrics, and gives what counts the attempts. */
export function addSagaMetrics(
  registry: Registry,
  sagas: SagaStore,
): (step: Step, outcome: "done" | "refused" | "unknown") => void {
  addDatabaseGauges(registry, {
    read: () => census(sagas),
    label: ["step", ({ step }) => step],
    gauges: {
      saga_orders: [
        "Orders under way by step, of all replicas together; needs_attention: they wait for a person.",
        ({ orders }) => orders,
      ],
      saga_oldest_seconds: [
        "How long ago the oldest order at a step was placed, in seconds. How long it stands there: saga_standing_seconds.",
        ({ age }) => age,
      ],
      saga_standing_seconds: [
        "How long an order at a step has made no progress from there, the longest, in seconds.",
        ({ standing }) => standing,
      ],
    },
  });
  const attempts = new Counter({
    name: "saga_step_attempts_total",
    help: "Calls of this replica for a step by what came of them; unknown: no definite answer, so it is asked again.",
    labelNames: ["step", "outcome"],
    registers: [registry],
  });
  return (step, outcome) => attempts.inc({ step, outcome });
}

/** Adds for how long the orders haven't been brought up to what has become of their parcels. */
export function addFollowerMetrics(registry: Registry, lag: () => Promise<number>): void {
  addDatabaseGauges(registry, {
    read: async () => [await lag()],
    gauges: {
      shipping_changes_lag_seconds: [
        "How long ago the orders were last brought up to all of shipping's changes, in seconds; at rest, no more than the time between two looks.",
        (seconds) => seconds,
      ],
    },
  });
}

/** With a zero for each step at which there is no order. */
async function census(sagas: SagaStore): Promise<Census[]> {
  const counted = new Map((await sagas.census()).map((one) => [one.step, one]));
  return [...Object.keys(saga), "needs_attention"].map(
    (step) => counted.get(step) ?? { step, orders: 0, age: 0, standing: 0 },
  );
}
