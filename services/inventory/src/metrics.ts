import { addDatabaseGauges, Counter, type Registry } from "@store/kit";
import type { Outcome } from "./reservationStore.ts";

/** Counts what becomes of reservations, and shows how many hold stock now. Gives the function that counts. */
export function addReservationMetrics(
  registry: Registry,
  countHeld: () => Promise<number>,
): (outcome: Outcome) => void {
  const outcomes = new Counter({
    name: "inventory_reservations_total",
    help: "Reservations that this instance has held, committed, cancelled or let expire.",
    labelNames: ["outcome"],
    registers: [registry],
  });
  addDatabaseGauges(registry, {
    read: async () => [await countHeld()],
    gauges: {
      inventory_reservations_held: [
        "Reservations that hold stock now, in the whole service.",
        (held) => held,
      ],
    },
  });
  return (outcome) => outcomes.inc({ outcome });
}
