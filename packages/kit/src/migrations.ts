import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import type { FastifyBaseLogger } from "fastify";
import pg from "pg";

/**
 * Brings the database forward to the newest of our migrations, each in its own transaction and once only: replicas that
 * start together wait for each other. A database that is newer than we are is left alone, since the release before must go
 * on working while the next one comes.
 */
export async function migrate(
  config: pg.ClientConfig,
  folder: URL,
  log: FastifyBaseLogger,
): Promise<void> {
  const migrations = await readMigrations(folder);
  const client = new pg.Client(config);
  // Without a listener, a connection that breaks between two statements ends the process.
  client.on("error", () => undefined);
  await client.connect();
  try {
    // Held by the connection: it goes with it, however we end.
    await client.query("SELECT pg_advisory_lock(hashtext('migrations'))");
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
    // A mistake in the SQL has a code of five characters; what is left is the connection's, which is tried again.
    if (!(error instanceof pg.DatabaseError) || /^(08|57P|53)/.test(error.code ?? "")) throw error;
    throw new MigrationError(`The migration ${migration.name} failed: ${error.message}`, {
      cause: error,
    });
  }
  log.info({ migration: migration.name }, "Migration applied");
}

function changed(name: string): string {
  return `The migration ${name} differs from the one that was applied: restore it and put the change into a new one`;
}
