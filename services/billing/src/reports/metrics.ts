import { addDatabaseGauges, type Database, type Registry } from "@store/kit";
import type { ProviderName } from "../providers/provider.ts";

/** Adds gauges of the provider's reports, for all replicas together. */
export function addReportMetrics(
  registry: Registry,
  database: Database,
  provider: ProviderName,
): void {
  addDatabaseGauges(registry, {
    read: () => database.query<ReportStats>(selectStats, [provider]),
    label: ["provider", () => provider],
    gauges: {
      billing_reports_lag_seconds: [
        "Seconds since the payment provider's reports (failed refunds, disputes, lapsed authorisations) were last read completely.",
        ({ lag }) => lag,
      ],
      billing_disputes_open: [
        "Disputes that are neither won nor lost yet.",
        ({ disputes }) => disputes,
      ],
    },
  });
}

interface ReportStats {
  readonly lag: number;
  readonly disputes: number;
}

const selectStats = `
  SELECT extract(epoch FROM now() - caught_up_at)::float8 AS lag,
    (SELECT count(*) FROM disputes WHERE status = 'open') AS disputes
  FROM report_cursors WHERE provider = $1`;
