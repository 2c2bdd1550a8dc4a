import { addDatabaseGauges, type Registry } from "@store/kit";

/** Adds a gauge of how far the orders lag behind shipping. */
export function addFollowerMetrics(registry: Registry, lag: () => Promise<number>): void {
  addDatabaseGauges(registry, {
    read: async () => [await lag()],
    gauges: {
      shipping_changes_lag_seconds: [
        "Seconds since all of shipping's changes were last applied; normally at most the poll interval.",
        (seconds) => seconds,
      ],
    },
  });
}
