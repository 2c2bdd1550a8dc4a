import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { FastifyBaseLogger } from "fastify";
import pg from "pg";
import { messageOf } from "../errorMessage.ts";
import { DatabaseBusy, isBusy, isUnavailable } from "./errors.ts";

/** Timeout for a statement that waits for a lock, in milliseconds. */
const LOCK_TIMEOUT_MS = 5_000;

/** PostgreSQL's error code of a statement that is refused in a transaction. */
const IN_TRANSACTION = "25001";

const CONCURRENTLY_HINT =
  ". Make the statement a migration of its own, with an index name without quotes and schema";

/** Milliseconds between two attempts to get the lock of the migrations. */
const LOCK_POLL_MS = 100;

/**
 * Applies the migrations that the database lacks, each once and in its own transaction, except for those that build or drop an index
 * CONCURRENTLY, which PostgreSQL refuses in a transaction. Replicas that start together wait for each
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

/**
 * Acquires the lock that other instances wait for. It belongs to the session, so it is released however this process ends. Not by a
 * statement that waits: CREATE INDEX CONCURRENTLY of the instance that has the lock would wait for that statement's end.
 */
async function acquireMigrationLock(client: pg.Client): Promise<void> {
  const deadline = Date.now() + LOCK_TIMEOUT_MS;
  for (;;) {
    const { rows } = await client.query<{ acquired: boolean }>(
      "SELECT pg_try_advisory_lock(hashtext('migrations')) AS acquired",
    );
    if (rows[0]?.acquired) return;
    if (Date.now() > deadline) break;
    await delay(LOCK_POLL_MS);
  }
  throw new DatabaseBusy(
    `another instance has been migrating for more than ${LOCK_TIMEOUT_MS / 1_000} s; waiting for it. ` +
      `pg_stat_activity shows its statement (application_name like '% migrations'); pg_terminate_backend(pid) ends it`,
  );
}

/** A migration can't be applied, and a retry wouldn't help. */
class MigrationError extends Error {
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
    const index = concurrentIndex(migration.sql);
    if (index === undefined) await applyInTransaction(client, migration);
    else await applyConcurrently(client, migration, index);
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
    const hint =
      error.code === IN_TRANSACTION && /CONCURRENTLY/.test(error.message) ? CONCURRENTLY_HINT : "";
    throw new MigrationError(`The migration ${migration.name} failed: ${error.message}${hint}`, {
      cause: error,
    });
  }
  log.info({ migration: migration.name }, "Migration applied");
}

async function applyInTransaction(client: pg.Client, migration: Migration): Promise<void> {
  await client.query("BEGIN");
  await client.query(migration.sql);
  await insertMigration(client, migration);
  await client.query("COMMIT");
}

async function insertMigration(client: pg.Client, { name, checksum }: Migration): Promise<void> {
  await client.query("INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)", [
    name,
    checksum,
  ]);
}

/**
 * Returns the name of the index that a migration's only statement creates or drops CONCURRENTLY. Undefined for any other migration, also
 * for one with a name in quotes or with a schema; PostgreSQL refuses CONCURRENTLY in its transaction.
 */
function concurrentIndex(sql: string): string | undefined {
  const statement = sql.replaceAll(/--.*$/gm, "").replaceAll(/\s+/g, " ").trim();
  const name = "([a-z_][a-z0-9_]*)";
  const create = `CREATE (?:UNIQUE )?INDEX CONCURRENTLY (?:IF NOT EXISTS )?(?!ON )${name} ON [^;]+`;
  const drop = `DROP INDEX CONCURRENTLY (?:IF EXISTS )?${name}`;
  const match = new RegExp(`^(?:${create}|${drop}) ?;?$`, "i").exec(statement);
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}

/**
 * Applies a migration that may have been interrupted at any time before: an index of which the building was interrupted is there, but
 * invalid, and one that was finished may lack its line in schema_migrations.
 */
async function applyConcurrently(
  client: pg.Client,
  migration: Migration,
  index: string,
): Promise<void> {
  // It waits for the transactions of others, but nobody waits for it.
  await client.query("SET lock_timeout = 0");
  const { rows } = await client.query<{ valid: boolean }>(
    "SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = to_regclass($1)",
    [index],
  );
  const isDrop = /^DROP /i.test(migration.sql.replaceAll(/--.*$/gm, "").trim());
  if (rows[0]?.valid === false) await client.query(`DROP INDEX CONCURRENTLY ${index}`);
  const isDone = isDrop ? rows[0]?.valid !== true : rows[0]?.valid === true;
  if (!isDone) await client.query(migration.sql);
  await insertMigration(client, migration);
  await client.query(`SET lock_timeout = ${LOCK_TIMEOUT_MS}`);
}

function changed(name: string): string {
  return `The migration ${name} was changed after it was applied. Restore it and put the change into a new migration`;
}
