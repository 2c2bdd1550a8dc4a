import { addDatabaseGauges, type Registry } from "@store/kit";

/** Adds a gauge of how far the orders lag behind the changes of a service. */
export function addFollowerMetrics(
  registry: Registry,
  service: string,
  lag: () => Promise<number>,
): void {
  addDatabaseGauges(registry, {
    read: async () => [await lag()],
    gauges: {
      [`${service}_changes_lag_seconds`]: [
        `Seconds since all of ${service}'s changes were last applied; normally at most the poll interval.`,
        (seconds) => seconds,
      ],
    },
  });
}
