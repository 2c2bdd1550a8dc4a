import { addDatabaseGauges, Counter, type Registry } from "@store/kit";
import { saga, type Step } from "./saga.ts";
import type { StepStats, SagaStore } from "./sagaStore.ts";

/** Adds the saga's metrics. Returns the function that counts an attempt. */
export function addSagaMetrics(
  registry: Registry,
  sagas: SagaStore,
): (step: Step, outcome: "done" | "refused" | "unknown") => void {
  addDatabaseGauges(registry, {
    read: () => readAllSteps(sagas),
    label: ["step", ({ step }) => step],
    gauges: {
      saga_orders: [
        "Orders in progress by step, in the whole service; needs_attention: waiting for staff.",
        ({ orders }) => orders,
      ],
      saga_oldest_seconds: [
        "Age of the oldest order at a step, in seconds. For the time spent at the step see saga_standing_seconds.",
        ({ age }) => age,
      ],
      saga_standing_seconds: [
        "Longest time that an order has been at a step, in seconds.",
        ({ standing }) => standing,
      ],
    },
  });
  const attempts = new Counter({
    name: "saga_step_attempts_total",
    help: "Calls of this replica by step and outcome; unknown: no definite answer, so the call is repeated.",
    labelNames: ["step", "outcome"],
    registers: [registry],
  });
  return (step, outcome) => attempts.inc({ step, outcome });
}

/** Reads the statistics of all steps, with zeros for a step without orders. */
async function readAllSteps(sagas: SagaStore): Promise<StepStats[]> {
  const bySteps = new Map((await sagas.readStepStats()).map((one) => [one.step, one]));
  // An order at the validation is saved at the reservation.
  const steps = Object.keys(saga).filter((step) => step !== "validate");
  return [...steps, "needs_attention"].map(
    (step) => bySteps.get(step) ?? { step, orders: 0, age: 0, standing: 0 },
  );
}
