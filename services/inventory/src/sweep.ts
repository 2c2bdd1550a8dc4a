import { setTimeout as delay } from "node:timers/promises";
import { DatabaseUnavailable, type App, type Log } from "@store/kit";
import type { ReservationStore } from "./reservationStore.ts";

/**
 * Gives back the stock of holds that have lasted too long, every so many milliseconds until the service closes. Any number of
 * replicas may do so: each takes what none of the others is at.
 */
export function sweepReservations(
  { app, log }: { readonly app: App; readonly log: Log },
  reservations: ReservationStore,
  milliseconds: number,
): void {
  const closing = new AbortController();
  const open = () => !closing.signal.aborted;
  const sweep = async () => {
    while (open()) {
      // Not all replicas at the same moment.
      const pause = milliseconds * (0.75 + Math.random() / 2);
      await delay(pause, undefined, { signal: closing.signal }).catch(() => undefined);
      try {
        while (open() && (await reservations.expireOne()));
      } catch (error) {
        // Its coming and going is logged by the database itself.
        if (!(error instanceof DatabaseUnavailable)) log.error({ err: error }, "Sweep failed");
      }
    }
  };
  const swept = sweep();
  app.addHook("onClose", async () => {
    closing.abort();
    await swept;
  });
}
