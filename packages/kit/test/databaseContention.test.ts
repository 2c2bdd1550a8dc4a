import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  createDatabase,
  repositoryRoot,
  until,
  type RunningService,
  type TestDatabase,
} from "./support/index.ts";
import { SAMPLE_FOLDER, startSample } from "./support/sample.ts";

describe("a database that several replicas share", () => {
  const running: RunningService[] = [];
  const connections: { end(): Promise<void> }[] = [];

  afterEach(async () => {
    await Promise.all(connections.splice(0).map((connection) => connection.end()));
    // A frozen process handles no other signal.
    for (const replica of running) replica.process.kill("SIGCONT");
    await Promise.all(running.splice(0).map((replica) => replica.stop()));
  });

  const start = async (
    database: TestDatabase,
    environment: Readonly<Record<string, string>> = {},
  ) => {
    const replica = await startSample({ ...database.environment, ...environment });
    running.push(replica);
    return replica;
  };
  /** Opens a connection that holds a lock until it or the test ends. */
  const holdLock = async (database: TestDatabase, lock: string) => {
    const connection = await database.connect();
    connections.push(connection);
    await connection.query(`BEGIN; ${lock}`);
    return connection;
  };
  /** The sessions of the services under test, without the test's own. */
  const sessions = (database: TestDatabase) =>
    database.query<{ query: string; wait_event_type: string | null }>(
      `SELECT query, wait_event_type FROM pg_stat_activity
       WHERE datname = current_database() AND application_name LIKE 'sample%'`,
    );
  /** Waits until statements of the services wait for locks. */
  const untilWaiting = (database: TestDatabase, count: number) =>
    until(`${count} statements wait for a lock`, async () => {
      const waiting = await sessions(database);
      return waiting.filter(({ wait_event_type: type }) => type === "Lock").length === count;
    });
  const lockRows = (replica: RunningService, first: number, second: number) =>
    replica.fetch(`/notes/${first}/then/${second}`, { method: "POST" });
  const assertRetryLater = async (response: Response, detail: RegExp) => {
    assert.equal(response.status, 503);
    assert.equal(response.headers.get("retry-after"), "1");
    assert.match(((await response.json()) as { detail: string }).detail, detail);
  };
  const unreachable = /^The database can't be reached/;
  const busy = /^The database is busy/;

  describe("with locked rows", () => {
    let database: TestDatabase;
    before(async () => {
      database = await createDatabase();
      const first = await start(database);
      await first.ready();
      await first.stop();
      await database.query("INSERT INTO notes VALUES (1, 'one'), (2, 'two')");
    });

    it("releases the locks of a replica that is frozen in a transaction, within 10 s", async () => {
      const [frozen, other] = await Promise.all([start(database), start(database)]);
      await Promise.all([frozen.ready(), other.ready()]);
      const lock = await holdLock(database, "SELECT FROM notes WHERE id = 2 FOR UPDATE");
      const interrupted = lockRows(frozen, 1, 2);
      await untilWaiting(database, 1);
      frozen.process.kill("SIGSTOP");
      // Its session gets the second row, and is then idle in the transaction.
      await lock.query("COMMIT");

      assert.equal((await lockRows(other, 1, 1)).status, 200, "it got the lock before its timeout");

      frozen.process.kill("SIGCONT");
      await assertRetryLater(await interrupted, /^The database (is busy|can't be reached)/);
      assert.equal((await lockRows(frozen, 1, 1)).status, 200, "it has another connection");
    });

    it("makes the service respond 503 while all its connections wait", async () => {
      const replica = await start(database, { DATABASE_POOL_SIZE: "1" });
      await replica.ready();
      const lock = await holdLock(database, "SELECT FROM notes WHERE id = 1 FOR UPDATE");
      const waiting = lockRows(replica, 1, 1);
      await untilWaiting(database, 1);
      await assertRetryLater(await lockRows(replica, 2, 2), unreachable);
      await lock.query("COMMIT");
      await waiting;
    });

    it("makes the service respond 503 after a deadlock or a lock timeout", async () => {
      const replica = await start(database);
      await replica.ready();
      // Both transactions get their first row at the same time, however late the second request comes.
      const both = await holdLock(database, "SELECT FROM notes WHERE id IN (1, 2) FOR UPDATE");
      const requests = [lockRows(replica, 1, 2), lockRows(replica, 2, 1)];
      await untilWaiting(database, 2);
      await both.query("COMMIT");
      const [one, other] = (await Promise.all(requests)) as [Response, Response];
      const [winner, loser] = one.ok ? [one, other] : [other, one];
      assert.equal(winner.status, 200);
      await assertRetryLater(loser, busy);

      await holdLock(database, "SELECT FROM notes WHERE id = 1 FOR UPDATE");
      await assertRetryLater(await lockRows(replica, 1, 1), busy);
      const reasons = (await replica.flushedLog())
        .filter(({ level }) => level !== "info")
        .map(({ level, msg }) => [level, msg]);
      assert.deepEqual(reasons, [
        ["warn", "deadlock detected"],
        ["warn", "canceling statement due to statement timeout"],
      ]);
    });
  });

  describe("with migrations of several replicas", () => {
    let folder: string;
    let database: TestDatabase;
    beforeEach(async () => {
      database = await createDatabase();
      folder = mkdtempSync(join(tmpdir(), "migrations-"));
      cpSync(join(repositoryRoot, SAMPLE_FOLDER, "src/migrations"), folder, { recursive: true });
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    const startMigrating = () => start(database, { MIGRATIONS: `${pathToFileURL(folder).href}/` });
    const write = (name: string, sql: string) => writeFileSync(join(folder, name), sql);
    /** SQL that waits, without a lock, until `openGate` is called. */
    const AT_THE_GATE =
      "DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM gate) LOOP PERFORM pg_sleep(0.1); END LOOP; END $$";
    const buildGate = () => database.query("CREATE TABLE gate ()");
    const openGate = () => database.query("INSERT INTO gate DEFAULT VALUES");

    it("is migrated by the next replica when one is frozen in a migration", async () => {
      write(
        "0002-more.sql",
        `CREATE TABLE more AS SELECT current_setting('idle_session_timeout') AS patience; ${AT_THE_GATE}`,
      );
      await buildGate();
      const frozen = await startMigrating();
      await until("it runs the migration", async () =>
        (await sessions(database)).some(({ query }) => /FROM gate/.test(query)),
      );
      frozen.process.kill("SIGSTOP");
      await openGate();
      const next = await startMigrating();
      await next.ready();
      const applied = async (replica: RunningService) =>
        (await replica.flushedLog()).flatMap((line) => line["migration"] ?? []);
      assert.deepEqual(await applied(next), ["0002-more.sql"]);
      frozen.process.kill("SIGCONT");
      await frozen.ready();
      assert.deepEqual(await applied(frozen), ["0001-notes.sql"]);
      // A test can't freeze it reliably between two migrations, so check the timeout that ends its session there.
      assert.deepEqual(await database.query("SELECT patience FROM more"), [{ patience: "5s" }]);
    });

    it("makes a waiting replica log once that another one is migrating", async () => {
      write("0002-more.sql", `CREATE TABLE more (); ${AT_THE_GATE}`);
      await buildGate();
      const replicas = await Promise.all([startMigrating(), startMigrating()]);
      const isWarning = ({ level }: { level: string }) => level !== "info";
      await until("the waiting one logs", () => replicas.some(({ log }) => log.some(isWarning)));
      await openGate();
      await Promise.all(replicas.map((replica) => replica.ready()));
      const logs = await Promise.all(replicas.map((replica) => replica.flushedLog()));
      const warnings = logs.flat().filter(isWarning);
      assert.equal(warnings.length, 1);
      assert.match(
        warnings[0]?.msg ?? "",
        /^The database can't be prepared: another instance has been migrating for more than 5 s/,
      );
    });

    it("answers a request that comes before the database is prepared, and one after 5 s with 503", async () => {
      const before = await start(database);
      await before.ready();
      await database.query("INSERT INTO notes VALUES (1, 'one')");
      const lock = await holdLock(database, "SELECT pg_advisory_xact_lock(hashtext('migrations'))");
      const next = await startMigrating();
      const early = lockRows(next, 1, 1);
      assert.equal((await next.fetch("/readyz")).status, 503);
      await lock.query("COMMIT");
      assert.equal((await early).status, 200);

      const slow = await holdLock(database, "SELECT pg_advisory_xact_lock(hashtext('migrations'))");
      const late = await startMigrating();
      await assertRetryLater(await lockRows(late, 1, 1), unreachable);
      await slow.end();
      await late.ready();
    });

    it("serves requests while a migration waits for a lock on a table", async () => {
      const before = await start(database);
      await before.ready();
      await database.query("INSERT INTO notes VALUES (1, 'one')");
      write("0002-more.sql", "ALTER TABLE notes ADD COLUMN more text;");
      // The lock of a backup, which reads the complete table.
      const backup = await holdLock(database, "LOCK TABLE notes IN ACCESS SHARE MODE");
      const next = await startMigrating();
      await until("the migration waits", async () =>
        (await sessions(database)).some(({ query }) => /ADD COLUMN more/.test(query)),
      );
      assert.equal(
        (await lockRows(before, 1, 1)).status,
        200,
        "statements behind it aren't blocked",
      );
      await next.waitForLog("the reason why it isn't ready", ({ msg }) =>
        /^The database can't be prepared: .*0002-more\.sql/.test(msg),
      );
      await backup.end();
      await next.ready();
    });
  });
});
