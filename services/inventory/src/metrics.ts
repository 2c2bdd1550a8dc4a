import { Counter, DatabaseBusy, DatabaseUnavailable, Gauge, type Registry } from "@store/kit";
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
  new Gauge({
    name: "inventory_reservations_held",
    help: "Reservations that hold stock now, in the whole service.",
    registers: [registry],
    async collect() {
      try {
        this.set(await countHeld());
      } catch (error) {
        if (!(error instanceof DatabaseUnavailable || error instanceof DatabaseBusy)) throw error;
        // Rather nothing than a number of earlier.
        this.remove();
      }
    },
  });
  return (outcome) => outcomes.inc({ outcome });
}
