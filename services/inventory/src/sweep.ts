import { setTimeout as delay } from "node:timers/promises";
import { DatabaseUnavailable, type App, type Log } from "@store/kit";
import type { ReservationStore } from "./reservationStore.ts";

/**
 * Expires overdue holds periodically until the service closes. Replicas may sweep concurrently: each skips the holds that another one
 * has locked.
 *
 * @param milliseconds Average interval between two sweeps.
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
      // Random, so that the replicas don't sweep at the same time.
      const pause = milliseconds * (0.75 + Math.random() / 2);
      await delay(pause, undefined, { signal: closing.signal }).catch(() => undefined);
      try {
        while (open() && (await reservations.expireOne()));
      } catch (error) {
        // The database logs its own outages.
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
