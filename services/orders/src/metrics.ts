import { Counter, DatabaseBusy, DatabaseUnavailable, Gauge, type Registry } from "@store/kit";
import { saga, type Step } from "./saga.ts";
import type { Census, SagaStore } from "./sagaStore.ts";

/** Adds the saga's metrics, and gives what counts the attempts. */
export function addSagaMetrics(
  registry: Registry,
  sagas: SagaStore,
): (step: Step, outcome: "done" | "refused" | "unknown") => void {
  const gauge = (name: string, help: string, value: (counted: Census) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ["step"],
      registers: [registry],
      async collect() {
        this.reset();
        for (const counted of await census(sagas)) this.set({ step: counted.step }, value(counted));
      },
    });
  gauge(
    "saga_orders",
    "Orders under way by step, of all replicas together; needs_attention: they wait for a person.",
    ({ orders }) => orders,
  );
  gauge(
    "saga_oldest_seconds",
    "How long ago the oldest order at a step was placed, in seconds. How long it stands there: saga_standing_seconds.",
    ({ age }) => age,
  );
  gauge(
    "saga_standing_seconds",
    "How long an order at a step has made no progress from there, the longest, in seconds.",
    ({ standing }) => standing,
  );
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
  new Gauge({
    name: "shipping_changes_lag_seconds",
    help: "How long ago the orders were last brought up to all of shipping's changes, in seconds; at rest, no more than the time between two looks.",
    registers: [registry],
    async collect() {
      try {
        this.set(await lag());
      } catch (error) {
        if (!(error instanceof DatabaseUnavailable || error instanceof DatabaseBusy)) throw error;
        // Rather nothing than a number of earlier.
        this.remove();
      }
    },
  });
}

/** With a zero for each step at which there is no order; nothing at all while the database is away or busy. */
async function census(sagas: SagaStore): Promise<Census[]> {
  try {
    const counted = new Map((await sagas.census()).map((one) => [one.step, one]));
    return [...Object.keys(saga), "needs_attention"].map(
      (step) => counted.get(step) ?? { step, orders: 0, age: 0, standing: 0 },
    );
  } catch (error) {
    if (error instanceof DatabaseUnavailable || error instanceof DatabaseBusy) return [];
    throw error;
  }
}
