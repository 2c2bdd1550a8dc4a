import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  createDatabase,
  createStaff,
  repositoryRoot,
  startService,
  until,
  type RunningService,
  type TestDatabase,
} from "./support/index.ts";

const sample = "packages/kit/test/sample";
const staff = createStaff();

describe("a database that several replicas share", function () {
  this.timeout(90_000);
  const running: RunningService[] = [];
  const connections: { end(): Promise<void> }[] = [];

  afterEach(async () => {
    await Promise.all(connections.splice(0).map((connection) => connection.end()));
    // Whoever is still frozen hears nothing else.
    for (const replica of running) replica.process.kill("SIGCONT");
    await Promise.all(running.splice(0).map((replica) => replica.stop()));
  });

  const start = async (
    database: TestDatabase,
    environment: Readonly<Record<string, string>> = {},
  ) => {
    const replica = await startService(
      "sample",
      {
        OTHER_URL: "http://127.0.0.1:9",
        ...staff.environment,
        ...database.environment,
        ...environment,
      },
      { folder: sample },
    );
    running.push(replica);
    return replica;
  };
  /** Somebody who holds a lock, until it is ended or the test is. */
  const hold = async (database: TestDatabase, lock: string) => {
    const connection = await database.connect();
    connections.push(connection);
    await connection.query(`BEGIN; ${lock}`);
    return connection;
  };
  /** What the sessions of the database are at: those of services, not the test's own. */
  const sessions = (database: TestDatabase) =>
    database.query<{ state: string; query: string }>(
      `SELECT state, query FROM pg_stat_activity
       WHERE datname = current_database() AND application_name LIKE 'sample%'`,
    );
  const locks = (replica: RunningService, first: number, second: number) =>
    replica.fetch(`/notes/${first}/then/${second}`, { method: "POST" });
  const isToTryAgain = async (response: Response, detail: RegExp) => {
    assert.equal(response.status, 503);
    assert.equal(response.headers.get("retry-after"), "1");
    assert.match(((await response.json()) as { detail: string }).detail, detail);
  };
  const away = /^The database can't be reached right now\. Try again\.$/;
  const busy = /^The database is busy right now\. Try again\.$/;

  describe("and lock rows of", () => {
    let database: TestDatabase;
    before(async () => {
      database = await createDatabase();
      const first = await start(database);
      await first.ready();
      await first.stop();
      await database.query("INSERT INTO notes VALUES (1, 'one'), (2, 'two')");
    });

    it("goes on without one that is frozen in a transaction, and says 503 until then", async () => {
      const [frozen, other] = await Promise.all([
        start(database),
        // One connection: who comes second finds none.
        start(database, { DATABASE_POOL_SIZE: "1" }),
      ]);
      await Promise.all([frozen.ready(), other.ready()]);
      const lost = locks(frozen, 1, 1);
      const held = ({ state }: { state: string }) => state === "idle in transaction";
      await until("it holds the row", async () => (await sessions(database)).some(held));
      frozen.process.kill("SIGSTOP");

      const waiting = locks(other, 1, 1);
      await until("the other waits for it", async () =>
        (await sessions(database)).some(({ state }) => state === "active"),
      );
      await isToTryAgain(await locks(other, 2, 2), away);
      assert.equal((await waiting).status, 200, "its turn came before it gave up");

      frozen.process.kill("SIGCONT");
      await isToTryAgain(await lost, /^The database (is busy|can't be reached) right now/);
      assert.equal((await locks(frozen, 1, 1)).status, 200, "it has another connection");
    });

    it("says 503 to one of two who are in each other's way, and to who waits for too long", async () => {
      const replica = await start(database);
      await replica.ready();
      const [one, other] = await Promise.all([locks(replica, 1, 2), locks(replica, 2, 1)]);
      const [winner, loser] = one.ok ? [one, other] : [other, one];
      assert.equal(winner.status, 200);
      await isToTryAgain(loser, busy);

      await hold(database, "SELECT FROM notes WHERE id = 1 FOR UPDATE");
      await isToTryAgain(await locks(replica, 1, 1), busy);
      const { log } = replica;
      const reasons = log
        .filter(({ level }) => level !== "info")
        .map(({ level, msg }) => [level, msg]);
      assert.deepEqual(reasons, [
        ["warn", "deadlock detected"],
        ["warn", "canceling statement due to statement timeout"],
      ]);
    });
  });

  describe("and bring forward together", () => {
    let folder: string;
    let database: TestDatabase;
    beforeEach(async () => {
      database = await createDatabase();
      folder = mkdtempSync(join(tmpdir(), "migrations-"));
      cpSync(join(repositoryRoot, sample, "src/migrations"), folder, { recursive: true });
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    const migrating = () => start(database, { MIGRATIONS: `${pathToFileURL(folder).href}/` });
    const write = (name: string, sql: string) => writeFileSync(join(folder, name), sql);

    it("is brought forward by the next one where one is frozen in a migration", async () => {
      write(
        "0002-more.sql",
        "CREATE TABLE more AS SELECT current_setting('idle_session_timeout') AS patience; SELECT pg_sleep(1);",
      );
      const frozen = await migrating();
      await until("it is at it", async () =>
        (await sessions(database)).some(({ query }) => /pg_sleep/.test(query)),
      );
      frozen.process.kill("SIGSTOP");
      const next = await migrating();
      await next.ready();
      const applied = async (replica: RunningService) =>
        (await replica.flushedLog()).flatMap((line) => line["migration"] ?? []);
      assert.deepEqual(await applied(next), ["0002-more.sql"]);
      frozen.process.kill("SIGCONT");
      await frozen.ready();
      assert.deepEqual(await applied(frozen), ["0001-notes.sql"]);
      // It has no statement in which it could be frozen for sure between two migrations, where it has the lock all the same.
      assert.deepEqual(await database.query("SELECT patience FROM more"), [{ patience: "5s" }]);
    });

    it("has who waits say for whom, and until it is ready", async () => {
      write("0002-more.sql", "CREATE TABLE more (); SELECT pg_sleep(8);");
      const [one, another] = [await migrating(), await migrating()];
      await Promise.all([one.ready(), another.ready()]);
      const logs = await Promise.all([one, another].map((replica) => replica.flushedLog()));
      const warnings = logs.flat().filter(({ level }) => level !== "info");
      assert.equal(warnings.length, 1);
      assert.match(
        warnings[0]?.msg ?? "",
        /^The database can't be prepared: another instance has been at the migrations for more than 5 s, and is waited for/,
      );
    });

    it("is served while a migration waits for one of its tables", async () => {
      const before = await start(database);
      await before.ready();
      await database.query("INSERT INTO notes VALUES (1, 'one')");
      write("0002-more.sql", "ALTER TABLE notes ADD COLUMN more text;");
      // As a backup does: it reads all of the table, and takes its time.
      const backup = await hold(database, "LOCK TABLE notes IN ACCESS SHARE MODE");
      const next = await migrating();
      await until("the migration waits", async () =>
        (await sessions(database)).some(({ query }) => /ADD COLUMN more/.test(query)),
      );
      assert.equal((await locks(before, 1, 1)).status, 200, "those behind it have their turn");
      await next.waitForLog("why it isn't ready", ({ msg }) =>
        /^The database can't be prepared: the migration 0002-more\.sql is tried again/.test(msg),
      );
      await backup.end();
      await next.ready();
    });
  });
});
