import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import type { FastifyBaseLogger } from "fastify";
import pg from "pg";
import { messageOf } from "../errorMessage.ts";
import { DatabaseBusy, isBusy, isUnavailable } from "./errors.ts";

/** Timeout for a statement that waits for a lock, in milliseconds. */
const LOCK_TIMEOUT_MS = 5_000;

/**
 * Applies the migrations that the database lacks, each once and in its own transaction. Replicas that start together wait for each
 * other, but not for one that is frozen (SIGSTOP) in the meantime. Unknown newer migrations in the database are ignored: during a
 * rollout, the previous release works on the next release's schema.
 *
 * @throws MigrationError for an error that a retry can't fix; DatabaseBusy if a lock wasn't released within 5 s.
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
    // No statement_timeout: the table may be large.
    lock_timeout: LOCK_TIMEOUT_MS,
    // Ends a frozen instance's session between transactions too, because the advisory lock belongs to the session.
    options: `-c idle_session_timeout=${config.idle_in_transaction_session_timeout ?? 0}`,
  });
  // Without a listener, a connection that breaks between two statements ends the process.
  client.on("error", () => undefined);
  await client.connect();
  try {
    await acquireMigrationLock(client);
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

/** Acquires the lock that other instances wait for. It belongs to the session, so it is released however this process ends. */
async function acquireMigrationLock(client: pg.Client): Promise<void> {
  try {
    await client.query("SELECT pg_advisory_lock(hashtext('migrations'))");
  } catch (error) {
    if (!isBusy(error)) throw error;
    throw new DatabaseBusy(
      `another instance has been migrating for more than ${LOCK_TIMEOUT_MS / 1_000} s; waiting for it. ` +
        `pg_stat_activity shows its statement (application_name like '% migrations'); pg_terminate_backend(pid) ends it`,
      { cause: error },
    );
  }
}

/** A migration can't be applied, and a retry wouldn't help. */
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
    throw new MigrationError(
      `Rename the migration ${misnamed}: a name has four digits and words, such as 0001-products.sql`,
    );
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
    // Statements of other sessions queue behind a migration that waits for a lock. Give up and retry later, so that they can run.
    if (isBusy(error)) {
      throw new DatabaseBusy(
        `retrying the migration ${migration.name}, whose tables were locked by other sessions: ${messageOf(error)}`,
        { cause: error },
      );
    }
    // Any database error that isn't a connection problem is a mistake in the SQL.
    if (!(error instanceof pg.DatabaseError) || isUnavailable(error)) throw error;
    throw new MigrationError(`The migration ${migration.name} failed: ${error.message}`, {
      cause: error,
    });
  }
  log.info({ migration: migration.name }, "Migration applied");
}

function changed(name: string): string {
  return `The migration ${name} was changed after it was applied. Restore it and put the change into a new migration`;
}
