import { addDatabaseGauges, Counter, type Registry } from "@store/kit";
import type { Outcome } from "./reservationStore.ts";

/** Adds a counter of reservation outcomes and a gauge of current holds. Returns the function that counts an outcome. */
export function addReservationMetrics(
  registry: Registry,
  countHeld: () => Promise<number>,
): (outcome: Outcome) => void {
  const outcomes = new Counter({
    name: "inventory_reservations_total",
    help: "Reservations that this instance has held, committed, cancelled, returned to the stock or expired.",
    labelNames: ["outcome"],
    registers: [registry],
  });
  addDatabaseGauges(registry, {
    read: async () => [await countHeld()],
    gauges: {
      inventory_reservations_held: [
        "Reservations that currently hold stock, in the whole service.",
        (held) => held,
      ],
    },
  });
  return (outcome) => outcomes.inc({ outcome });
}
