import type { Database, Log } from "@store/kit";
import {
  UnknownOutcomeError,
  type PaymentProvider,
  type ProviderReport,
} from "../providers/provider.ts";
import { applyReport } from "./applyReport.ts";

interface ReportsOptions {
  readonly database: Database;
  readonly provider: PaymentProvider;
  readonly log: Log;
  /** Interval between two polls of all replicas together, in milliseconds. */
  readonly pollMs: number;
}

/** After this many failed polls the pause stops doubling: with the default interval, at 16 minutes. */
const DOUBLINGS = 4;

/**
 * Follows what the provider reports about payments by itself: failed refunds, disputes, lapsed authorisations. Each poll reads again what
 * was reported shortly before the newest report, because the provider may list a report later than a younger one; the ids of applied
 * reports are kept, so that each is applied once.
 */
export class Reports {
  readonly #options: ReportsOptions;

  constructor(options: ReportsOptions) {
    this.#options = options;
  }

  /** Reads and applies all new reports, unless a replica has polled within the interval. */
  async poll(): Promise<void> {
    const { database, provider, log, pollMs } = this.#options;
    const turn = await this.#takeTurn();
    if (turn === undefined) return;
    try {
      const newest = await this.#readSince(turn.since ?? undefined);
      await database.query(noteCaughtUp, [provider.name, newest]);
      await database.query(deleteOldReports);
    } catch (error) {
      const pause = pollMs * 2 ** Math.min(turn.failures, DOUBLINGS);
      await database.query(noteFailure, [provider.name, pause]);
      if (!(error instanceof UnknownOutcomeError)) throw error;
      log.warn(`The payment provider: ${error.message}: will read its reports again later`);
    }
  }

  async #takeTurn(): Promise<Turn | undefined> {
    const { database, provider, pollMs, log } = this.#options;
    await database.query(
      "INSERT INTO report_cursors (provider) VALUES ($1) ON CONFLICT DO NOTHING",
      [provider.name],
    );
    // A bit less than the interval: a timer that fires at the interval mustn't miss its turn.
    const [turn] = await database.query<Turn>(takeTurn, [provider.name, 0.9 * pollMs]);
    if (turn?.outdated)
      log.error(
        "The payment provider's reports haven't been read for 30 days. Look for earlier disputes and failed refunds in its dashboard",
      );
    return turn;
  }

  /** Applies the reports since a time, page by page. Returns the time of the provider's newest event. */
  async #readSince(since: Date | undefined): Promise<Date | undefined> {
    const { provider } = this.#options;
    let newest: Date | undefined;
    let after: string | undefined;
    do {
      const page = await provider.reports?.({ since, after });
      for (const report of await this.#selectNew(page?.items ?? [])) await this.#apply(report);
      newest ??= page?.newest;
      after = page?.next;
    } while (after !== undefined);
    return newest;
  }

  async #selectNew(reports: readonly ProviderReport[]): Promise<readonly ProviderReport[]> {
    if (reports.length === 0) return [];
    const known = await this.#options.database.query<{ id: string }>(
      "SELECT id FROM provider_reports WHERE id = ANY($1)",
      [reports.map(({ id }) => id)],
    );
    const ids = new Set(known.map(({ id }) => id));
    return reports.filter(({ id }) => !ids.has(id));
  }

  /** Applies a report in one transaction with its id. Does nothing if another replica has applied it, or if its payment is not billing's. */
  async #apply(report: ProviderReport): Promise<void> {
    const { database, provider, log } = this.#options;
    const { id, at, reference } = report;
    await database.transaction(async (transaction) => {
      const inserted = await transaction.query(
        "INSERT INTO provider_reports (id, at) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id",
        [id, at],
      );
      if (inserted.length === 0) return;
      const [payment] = await transaction.query<{ id: string }>(
        "SELECT id FROM payments WHERE provider_reference = $1 AND provider = $2",
        [reference, provider.name],
      );
      if (payment === undefined) return;
      const text = await applyReport(transaction, { ...report, payment: payment.id });
      if (text !== undefined)
        log.warn({ payment: payment.id, report: id }, `The payment provider reports: ${text}`);
    });
  }
}

interface Turn extends Record<string, unknown> {
  /** Null in the first poll: all that the provider still knows. */
  readonly since: Date | null;
  readonly failures: number;
  readonly outdated: boolean;
}

const takeTurn = `
  UPDATE report_cursors SET due_at = now() + $2 * interval '1 millisecond'
  WHERE provider = $1 AND due_at <= now()
  RETURNING newest - interval '10 minutes' AS since, failures, caught_up_at < now() - interval '30 days' AS outdated`;

const noteCaughtUp = `
  UPDATE report_cursors SET newest = greatest(newest, $2), failures = 0, caught_up_at = now()
  WHERE provider = $1`;

const noteFailure = `
  UPDATE report_cursors SET failures = failures + 1, due_at = now() + $2 * interval '1 millisecond'
  WHERE provider = $1`;

// The first poll after a loss of the cursor reads 30 days.
const deleteOldReports = "DELETE FROM provider_reports WHERE at < now() - interval '31 days'";
