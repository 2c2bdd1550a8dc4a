import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import type { FastifyBaseLogger } from "fastify";
import pg from "pg";
import { DatabaseBusy, isBusy, isUnavailable, messageOf } from "./errors.ts";

/** How long a statement waits for a lock that somebody else has. */
const LOCK_WAIT_MS = 5_000;

/**
 * Brings the database forward to the newest of our migrations, each in its own transaction and once only: replicas that
 * start together wait for each other, but not for one that is stopped meanwhile. A database that is newer than we are is left
 * alone, since the release before must go on working while the next one comes.
 *
 * @throws MigrationError for what waiting doesn't mend; DatabaseBusy where a lock was somebody else's for too long.
 */
export async function migrate(
  config: pg.ClientConfig,
  folder: URL,
  log: FastifyBaseLogger,
): Promise<void> {
  const migrations = await readMigrations(folder);
  const client = new pg.Client({
    ...config,
    application_name: `${config.application_name ?? ""} migrations`,
    // A statement may take as long as it has to: a table may be large.
    lock_timeout: LOCK_WAIT_MS,
    // Outside of a transaction, too: the lock for which the others wait is held by the connection.
    options: `-c idle_session_timeout=${config.idle_in_transaction_session_timeout ?? 0}`,
  });
  // Without a listener, a connection that breaks between two statements ends the process.
  client.on("error", () => undefined);
  await client.connect();
  try {
    await takeTurn(client);
    await client.query(
      `CREATE TABLE IF NOT EXISTS schema_migrations (
         name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`,
    );
    const applied = await appliedMigrations(client);
    for (const migration of migrations) {
      const checksum = applied.get(migration.name);
      if (checksum === undefined) await apply(client, migration, log);
      else if (checksum !== migration.checksum) throw new MigrationError(changed(migration.name));
    }
  } finally {
    await client.end();
  }
}

/** Others wait until it is ours no longer. Held by the connection: it goes with it, however we end. */
async function takeTurn(client: pg.Client): Promise<void> {
  try {
    await client.query("SELECT pg_advisory_lock(hashtext('migrations'))");
  } catch (error) {
    if (!isBusy(error)) throw error;
    throw new DatabaseBusy(
      `another instance has been at the migrations for more than ${LOCK_WAIT_MS / 1_000} s, and is waited for. ` +
        `What it does is in pg_stat_activity (application_name like '% migrations'); pg_terminate_backend(pid) ends it`,
      { cause: error },
    );
  }
}

/** A migration that can't be applied. Waiting doesn't mend it. */
export class MigrationError extends Error {
  override readonly name = "MigrationError";
}

interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

async function readMigrations(folder: URL): Promise<Migration[]> {
  const files = (await readdir(folder)).sort();
  const misnamed = files.find((file) => !/^\d{4}-[a-z0-9-]+\.sql$/.test(file));
  if (misnamed !== undefined) {
    throw new MigrationError(`Rename the migration ${misnamed}: names look like 0001-products.sql`);
  }
  return Promise.all(
    files.map(async (file) => {
      const sql = await readFile(new URL(file, folder), "utf8");
      return { name: file, sql, checksum: createHash("sha256").update(sql).digest("hex") };
    }),
  );
}

async function appliedMigrations(client: pg.Client): Promise<Map<string, string>> {
  const { rows } = await client.query<{ name: string; checksum: string }>(
    "SELECT name, checksum FROM schema_migrations",
  );
  return new Map(rows.map(({ name, checksum }) => [name, checksum]));
}

async function apply(
  client: pg.Client,
  migration: Migration,
  log: FastifyBaseLogger,
): Promise<void> {
  try {
    await client.query("BEGIN");
    await client.query(migration.sql);
    await client.query("INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)", [
      migration.name,
      migration.checksum,
    ]);
    await client.query("COMMIT");
  } catch (error) {
    // Whoever asks for a table after us waits behind us. So we give way to who has it, and try again later.
    if (isBusy(error)) {
      throw new DatabaseBusy(
        `the migration ${migration.name} is tried again, since others were at its tables: ${messageOf(error)}`,
        { cause: error },
      );
    }
    // What isn't the connection's is a mistake in the SQL.
    if (!(error instanceof pg.DatabaseError) || isUnavailable(error)) throw error;
    throw new MigrationError(`The migration ${migration.name} failed: ${error.message}`, {
      cause: error,
    });
  }
  log.info({ migration: migration.name }, "Migration applied");
}

function changed(name: string): string {
  return `The migration ${name} differs from the one that was applied: restore it and put the change into a new one`;
}
