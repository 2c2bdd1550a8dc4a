import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDatabase, type RunningService, type TestDatabase, until } from "./support/index.ts";
import { startSample } from "./support/sample.ts";

describe("a database that is reached by TLS", () => {
  let database: TestDatabase;
  let folder: string;
  const services: RunningService[] = [];

  before(async () => {
    database = await createDatabase();
    folder = mkdtempSync(join(tmpdir(), "store-test-"));
  });
  afterEach(async () => {
    for (const service of services.splice(0)) await service.stop();
  });
  after(async () => {
    rmSync(folder, { recursive: true });
    await database.query("ALTER SYSTEM RESET ssl");
    await database.query("SELECT pg_reload_conf()");
  });

  async function startWith(environment: Readonly<Record<string, string>>): Promise<RunningService> {
    const service = await startSample({ ...database.environment, ...environment });
    services.push(service);
    return service;
  }

  /** Returns the reason why the service can't use the database. */
  async function reasonWith(environment: Readonly<Record<string, string>>): Promise<string> {
    const service = await startWith(environment);
    const { msg } = await service.waitForLog("the reason", ({ level }) => level === "warn");
    assert.equal((await service.fetch("/readyz")).status, 503);
    return msg;
  }

  it("isn't used without TLS if the service requires it", async () => {
    const reason = await reasonWith({ DATABASE_SSLMODE: "require" });
    assert.match(reason, /^The database can't be reached: The server does not support SSL/);
    // The service goes on trying.
    await turnOnTls();
    await services[0]?.ready();
  });

  it("is used by TLS if its certificate is of the given authority and for its address", async () => {
    const root = { DATABASE_SSLROOTCERT_FILE: join(folder, "root.pem") };
    const service = await startWith({ DATABASE_SSLMODE: "verify-full", ...root });
    await service.ready();
    const connections = await database.query<{ ssl: boolean }>(
      `SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
       WHERE datname = current_database() AND application_name = 'sample'`,
    );
    assert.ok(connections.length > 0 && connections.every(({ ssl }) => ssl));
  });

  it("isn't used if the authority is unknown, or the certificate for another name", async () => {
    const mode = { DATABASE_SSLMODE: "verify-full" };
    assert.match(await reasonWith(mode), /: (self-signed|unable to (get|verify))/);
    const root = { DATABASE_SSLROOTCERT_FILE: join(folder, "root.pem") };
    const other = await reasonWith({ ...mode, ...root, DATABASE_HOST: "localhost" });
    assert.match(other, /: Hostname\/IP does not match certificate's altnames/);
  });

  it("makes the service respond 503 to what it can't write while the database is read-only", async () => {
    const service = await startWith({});
    await service.ready();
    const setReadOnly = async (state: "on" | "off"): Promise<void> => {
      const client = await database.connect();
      await client.query("SET default_transaction_read_only = off");
      const name = client.escapeIdentifier(database.environment["DATABASE_NAME"] ?? "");
      await client.query(`ALTER DATABASE ${name} SET default_transaction_read_only = ${state}`);
      // The setting is for new connections.
      await client.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sample'",
      );
      await client.end();
    };
    const add = async (): Promise<number> =>
      (
        await service.fetch("/notes", {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ id: 1, text: "x" }),
        })
      ).status;
    await setReadOnly("on");
    await until("reads succeed", async () => (await service.fetch("/things")).ok);
    await service.ready();
    assert.equal(await add(), 503);
    await setReadOnly("off");
    await until("writes succeed", async () => (await add()) === 201);
  });

  /** Makes the server, which has no certificate, use one for 127.0.0.1, issued by a new authority. */
  async function turnOnTls(): Promise<void> {
    const openssl = (...args: readonly string[]): void => {
      execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
    };
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    openssl("req", "-x509", ...key, "-keyout", "root.key", "-out", "root.pem", "-subj", "/CN=Root");
    openssl("req", ...key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=server");
    writeFileSync(join(folder, "names"), "subjectAltName=IP:127.0.0.1");
    const issuer = ["-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial"];
    const issued = ["-in", "server.csr", "-extfile", "names", "-out", "server.crt"];
    openssl("x509", "-req", ...issuer, ...issued);
    for (const name of ["server.key", "server.crt"]) {
      const lines = readFileSync(join(folder, name), "utf8").trim().split("\n");
      const rows = lines.map((line) => `('${line}')`).join(", ");
      const write = `umask 077; cat >$PGDATA/${name}`;
      await database.query(`COPY (VALUES ${rows}) TO PROGRAM '${write}'`);
    }
    await database.query("ALTER SYSTEM SET ssl = on");
    await database.query("SELECT pg_reload_conf()");
  }
});
