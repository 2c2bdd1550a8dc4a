import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { startPGlite } from "@store/cli/devServices/pglite";

describe("PGlite for a service", function () {
  this.timeout("60s");
  let folder: string;

  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "store-test-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("is closed while a service has a transaction open: that one loses its connection, and nothing else happens", async () => {
    const postgres = await startPGlite(join(folder, "data"));
    const { host, port, name: database, user } = postgres;
    const client = new Client({ host, port, database, user });
    client.on("error", () => undefined);
    await client.connect();
    await client.query("BEGIN");

    const hungUp = new Promise((resume) => client.once("end", resume));
    await postgres.close();
    await hungUp;
    await assert.rejects(client.query("SELECT 1"));
    // What would go wrong now has nobody to catch it: mocha fails the test for it.
    await new Promise((resume) => setTimeout(resume, 100));
  });
});
