import { Gauge, type Registry } from "prom-client";
import { DatabaseBusy, DatabaseUnavailable } from "./errors.ts";

interface DatabaseGauges<Row> {
  /** Queries the database. Runs once per scrape, for all gauges together. */
  readonly read: () => Promise<readonly Row[]>;
  /** Name of the gauges' label, and a row's value for it. @default no label, for queries that return one row */
  readonly label?: readonly [name: string, of: (row: Row) => string];
  /** Help text of each gauge, and its value for a row, by the gauge's name. */
  readonly gauges: Readonly<Record<string, readonly [help: string, value: (row: Row) => number]>>;
}

/**
 * Adds gauges that are read from the database. They describe the whole service and are the same in each instance. While the database is
 * unavailable or busy the gauges are missing: no value is better than an outdated one.
 */
export function addDatabaseGauges<Row>(
  registry: Registry,
  { read, label, gauges }: DatabaseGauges<Row>,
): void {
  let reading: Promise<readonly Row[]> | undefined;
  const rows = () => (reading ??= readIfPossible(read).finally(() => (reading = undefined)));
  for (const [name, [help, value]] of Object.entries(gauges)) {
    new Gauge({
      name,
      help,
      labelNames: label === undefined ? [] : [label[0]],
      registers: [registry],
      async collect() {
        const current = await rows();
        // Without a label, reset() would report zero instead of removing the value.
        if (label === undefined) this.remove();
        else this.reset();
        for (const row of current)
          this.set(label === undefined ? {} : { [label[0]]: label[1](row) }, value(row));
      },
    });
  }
}

async function readIfPossible<Row>(read: () => Promise<readonly Row[]>): Promise<readonly Row[]> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof DatabaseUnavailable || error instanceof DatabaseBusy) return [];
    throw error;
  }
}
