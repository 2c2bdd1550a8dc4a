import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestDatabase } from "./postgres.ts";
import { repositoryRoot } from "./service.ts";

/**
 * Applies a service's migrations to an empty database, up to and including the one named `last`, as an earlier release did.
 *
 * @throws Error if the service has no migration of that name.
 */
export async function migrateUpTo(
  database: TestDatabase,
  service: string,
  last: string,
): Promise<void> {
  const folder = join(repositoryRoot, "services", service, "src/migrations");
  const names = readdirSync(folder).sort();
  if (!names.includes(last)) throw new Error(`${service} has no migration ${last}`);
  await database.query(
    "CREATE TABLE schema_migrations (name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())",
  );
  for (const name of names.filter((one) => one <= last)) {
    const sql = readFileSync(join(folder, name), "utf8");
    await database.query(sql);
    await database.query("INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)", [
      name,
      createHash("sha256").update(sql).digest("hex"),
    ]);
  }
}
