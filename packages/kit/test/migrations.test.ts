import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createDatabase, repositoryRoot, until, type TestDatabase } from "./support/index.ts";
import { SAMPLE_FOLDER, startSample } from "./support/sample.ts";

describe("migrations", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "migrations-"));
    cpSync(join(repositoryRoot, SAMPLE_FOLDER, "src/migrations"), folder, { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const startWith = (target: TestDatabase) =>
    startSample({ ...target.environment, MIGRATIONS: `${pathToFileURL(folder).href}/` });
  const write = (name: string, sql: string) => writeFileSync(join(folder, name), sql);
  const failureWith = async (target: TestDatabase) => {
    const failing = await startWith(target);
    assert.equal(await failing.exited, 1);
    return failing.log.at(-1)?.msg ?? "";
  };

  it("run once when several replicas start together", async () => {
    const target = await createDatabase();
    // Slow enough that the replicas run it at the same time.
    write("0002-more.sql", "SELECT pg_sleep(0.5); CREATE TABLE more ();");
    const replicas = await Promise.all([1, 2, 3].map(() => startWith(target)));
    await Promise.all(replicas.map((replica) => replica.ready()));
    await Promise.all(replicas.map((replica) => replica.stop()));
    const applied = replicas.flatMap(({ log }) => log.flatMap((line) => line["migration"] ?? []));
    assert.deepEqual(applied.sort(), ["0001-notes.sql", "0002-more.sql"]);
  });
  it("build an index without blocking writers, while other replicas wait and a transaction is open", async () => {
    const target = await createDatabase();
    write("0002-index.sql", "-- Large.\nCREATE INDEX CONCURRENTLY notes_text ON notes (text);\n");
    const first = await startSample(target.environment);
    await first.ready();
    // The index can't be finished before this transaction ends.
    const open = await target.connect();
    await open.query("BEGIN; INSERT INTO notes VALUES (2, 'open')");
    const replicas = await Promise.all([1, 2, 3].map(() => startWith(target)));
    await until("the index waits for the transaction", async () => {
      const waiting = await target.query(
        "SELECT FROM pg_stat_activity WHERE query LIKE '%CONCURRENTLY notes_text%' AND wait_event_type = 'Lock'",
      );
      return waiting.length > 0;
    });
    const written = await first.fetch("/notes", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ id: 1, text: "meanwhile" }),
    });
    assert.equal(written.status, 201);
    await open.query("COMMIT");
    await open.end();
    await Promise.all(replicas.map((replica) => replica.ready()));
    assert.deepEqual(await validIndexes(target), ["notes_text"]);
    await Promise.all([first, ...replicas].map((replica) => replica.stop()));
    const applied = replicas.flatMap(({ log }) => log.flatMap((line) => line["migration"] ?? []));
    assert.deepEqual(applied, ["0002-index.sql"]);
  });
  it("build an index again that was interrupted, keep one that was finished, and drop one", async () => {
    const target = await createDatabase();
    const first = await startSample(target.environment);
    await first.ready();
    await first.stop();
    await target.query("CREATE INDEX notes_half ON notes (text)");
    await target.query(
      "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'notes_half'::regclass",
    );
    await target.query("CREATE INDEX notes_whole ON notes (text)");
    await target.query("CREATE INDEX notes_old ON notes (text)");
    write("0002-half.sql", "create index concurrently notes_half on notes (text)");
    write("0003-whole.sql", "CREATE INDEX CONCURRENTLY IF NOT EXISTS notes_whole ON notes (text)");
    write("0004-old.sql", "DROP INDEX CONCURRENTLY notes_old");
    const second = await startWith(target);
    await second.ready();
    await second.stop();
    assert.deepEqual(await validIndexes(target), ["notes_half", "notes_whole"]);
  });
  it("name the statement that can't be in one migration with others", async () => {
    write("0002-two.sql", "CREATE INDEX CONCURRENTLY a ON notes (text); CREATE TABLE b ();");
    assert.match(
      await failureWith(await createDatabase()),
      /0002-two\.sql failed: CREATE INDEX CONCURRENTLY cannot .*/,
    );
  });
  it("fail if one builds or drops an index CONCURRENTLY in a way that can't be repeated", async () => {
    const target = await createDatabase();
    for (const sql of [
      "DROP INDEX CONCURRENTLY public.notes_old",
      "DROP INDEX CONCURRENTLY a; CREATE TABLE b ();",
      "CREATE INDEX CONCURRENTLY ON notes (text)",
      'DROP INDEX CONCURRENTLY IF EXISTS "Aa"',
      "DROP INDEX CONCURRENTLY a, b",
    ]) {
      write("0002-index.sql", sql);
      assert.match(
        await failureWith(target),
        /0002-index\.sql failed: .* CONCURRENTLY cannot .*a migration of its own/,
        sql,
      );
    }
  });
  const validIndexes = async (target: TestDatabase) =>
    (
      await target.query<{ name: string }>(
        `SELECT relname AS name FROM pg_index JOIN pg_class ON oid = indexrelid
         WHERE indisvalid AND relname LIKE 'notes\\_%' AND NOT indisprimary ORDER BY 1`,
      )
    ).map(({ name }) => name);
  it("don't change a database that a newer release has migrated", async () => {
    const target = await createDatabase();
    write("0002-more.sql", "CREATE TABLE more ();");
    const newer = await startWith(target);
    await newer.ready();
    const older = await startSample(target.environment);
    await older.ready();
    await Promise.all([newer.stop(), older.stop()]);
  });
  it("that fail end the service with their name and change nothing", async () => {
    const target = await createDatabase();
    write("0002-broken.sql", "CREATE TABLE half (); CREATE TABLE notes ();");
    assert.match(
      await failureWith(target),
      /0002-broken\.sql failed: relation "notes" already exists/,
    );
    const [half] = await target.query<{ found: boolean }>(
      "SELECT to_regclass('half') IS NOT NULL AS found",
    );
    assert.equal(half?.found, false);
  });
  it("end the service if they were changed after they were applied", async () => {
    const target = await createDatabase();
    const first = await startWith(target);
    await first.ready();
    await first.stop();
    write("0001-notes.sql", "CREATE TABLE notes (id bigint PRIMARY KEY);");
    assert.match(await failureWith(target), /0001-notes\.sql was changed after it was applied/);
  });
  it("end the service if a name lacks its number", async () => {
    write("more.sql", "");
    assert.match(await failureWith(await createDatabase()), /Rename the migration more\.sql/);
  });
});
