import { Gauge, type Registry } from "prom-client";
import { DatabaseBusy, DatabaseUnavailable } from "./errors.ts";

interface DatabaseGauges<Row> {
  /** Asks the database, once for all of the gauges whenever metrics are collected. */
  readonly read: () => Promise<readonly Row[]>;
  /** Its name, and a row's. @default none, for what is one row */
  readonly label?: readonly [name: string, of: (row: Row) => string];
  /** By their names: what they say, and a row's number. */
  readonly gauges: Readonly<Record<string, readonly [help: string, value: (row: Row) => number]>>;
}

/**
 * Adds gauges of what the database knows of the whole service, the same in each instance. While it is away or busy they show
 * nothing: rather that than a number of earlier.
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
        // Without a label there is one number, which a reset would make zero.
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
