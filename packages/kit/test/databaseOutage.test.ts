import assert from "node:assert/strict";
import { connect, createServer, type AddressInfo } from "node:net";
import {
  createDatabase,
  startPostgres,
  stopPostgres,
  until,
  type RunningService,
  type TestDatabase,
} from "./support/index.ts";
import { startSample } from "./support/sample.ts";

describe("database outages", () => {
  let database: TestDatabase;
  let service: RunningService;

  before(async () => {
    database = await createDatabase();
    service = await startSample(database.environment);
    await service.ready();
  });
  after(() => service.stop());

  describe("with a database that accepts connections but doesn't respond", () => {
    it("makes the service log the reason and retry", async () => {
      let silent = true;
      const proxy = createServer((socket) => {
        socket.on("error", () => undefined);
        if (silent) return;
        const upstream = connect(Number(database.environment["DATABASE_PORT"]), "127.0.0.1");
        upstream.on("error", () => socket.destroy());
        socket.pipe(upstream).pipe(socket);
      }).listen(0, "127.0.0.1");
      await until("the proxy listens", () => proxy.listening);
      const { port } = proxy.address() as AddressInfo;
      const waiting = await startSample({ ...database.environment, DATABASE_PORT: String(port) });
      try {
        const line = await waiting.waitForLog("the reason", ({ level }) => level !== "info");
        assert.deepEqual(
          [line.level, line.msg],
          ["warn", "The database can't be reached: timeout expired"],
        );
        silent = false;
        await waiting.ready();
      } finally {
        await waiting.stop();
        proxy.close();
      }
    });
  });

  // Runs last, because it stops the PostgreSQL that all tests share.
  describe("with a database that stops", () => {
    after(startPostgres);

    it("make the service respond 503 until the database is back", async () => {
      const before = service.log.length;
      const held = await database.connect();
      await held.query("BEGIN; LOCK TABLE notes");
      const add = (id: number) =>
        service.fetch("/notes", {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ id, text: "x" }),
        });
      const caughtInTheMiddle = add(100);
      const caughtBetweenStatements = service.fetch("/hold");
      const states = async () =>
        (
          await database.query<{ state: string }>(
            `SELECT state FROM pg_stat_activity
             WHERE datname = current_database() AND application_name = 'sample'
               AND (wait_event_type = 'Lock' OR state = 'idle in transaction')`,
          )
        ).map(({ state }) => state);
      await until(
        "one request waits for the lock, and one is between two statements",
        async () => new Set(await states()).size === 2,
      );
      await stopPostgres();
      await service.fetch("/hold/end", { method: "POST" });

      assert.equal((await caughtInTheMiddle).status, 503);
      assert.equal((await caughtBetweenStatements).status, 503);
      await until("not ready", async () => (await service.fetch("/readyz")).status === 503);
      const { reason } = (await service.json("/readyz")) as { reason: string };
      assert.match(reason, /^The database can't be reached: /);
      const refusedNote = await add(101);
      assert.equal(refusedNote.status, 503);
      assert.equal(refusedNote.headers.get("retry-after"), "1");
      assert.equal((await service.fetch("/healthz")).status, 200);

      // A service that starts now waits for the database.
      const early = await startSample(database.environment);
      assert.equal((await early.fetch("/readyz")).status, 503);
      assert.equal((await add(102)).status, 503);
      for (let i = 0; i < 20; i++) await service.fetch("/readyz");

      await startPostgres();
      await Promise.all([service.ready(), early.ready()]);
      assert.equal((await add(103)).status, 201);
      assert.equal(await early.stop(), 0);
      const changes = () =>
        service.log.slice(before).filter(({ msg }) => /^The database/.test(msg));
      await until(
        "the recovery is logged",
        () => changes().at(-1)?.msg === "The database is ready",
      );
      const messages = changes().map(({ msg }) => msg);
      const repeated = messages.filter((msg, at) => msg === messages[at - 1]);
      assert.deepEqual(repeated, [], "one line per change, not per attempt");
      assert.ok(messages.length >= 2, messages.join("\n"));
    });
  });
});
