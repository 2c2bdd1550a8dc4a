import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createDatabase, repositoryRoot, type TestDatabase } from "./support/index.ts";
import { SAMPLE_FOLDER, startSample } from "./support/sample.ts";

describe("migrations", function () {
  this.timeout(60_000);
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
