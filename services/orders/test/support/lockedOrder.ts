import type { TestDatabase } from "@store/kit/testing";
import { until } from "@store/kit/testing";
import type { PlacedOrder } from "./backEnd.ts";

/** A transaction of the test that has locked the row of an order. */
interface LockedOrder {
  /** Runs a statement with the ID of the order as `$1`. */
  readonly run: (sql: string) => Promise<void>;
  /** Resolves when another transaction waits for this one. */
  readonly untilAnotherWaits: () => Promise<void>;
}

/** Locks the row of an order in a transaction, and commits the transaction when `work` has resolved. */
export async function withLockedOrder(
  database: TestDatabase,
  { id }: PlacedOrder,
  work: (order: LockedOrder) => Promise<void>,
): Promise<void> {
  const connection = await database.connect();
  const run = async (sql: string) => {
    await connection.query(sql, [id]);
  };
  try {
    await connection.query("BEGIN");
    await run("SELECT FROM orders WHERE id = $1 FOR UPDATE");
    const { rows } = await connection.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    const untilAnotherWaits = () =>
      until("another transaction waits for the order", async () => {
        const waiting = await database.query(
          "SELECT FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))",
          [rows[0]?.pid],
        );
        return waiting.length > 0;
      });
    await work({ run, untilAnotherWaits });
    await connection.query("COMMIT");
  } finally {
    await connection.end();
  }
}
