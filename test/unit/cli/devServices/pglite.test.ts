import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { startPGlite } from "@store/cli/devServices/pglite";

describe("startPGlite", () => {
  let folder: string;

  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "store-test-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("closes cleanly while a client has an open transaction, and disconnects that client", async () => {
    const postgres = await startPGlite(join(folder, "data"));
    const { host, port, name: database, user } = postgres;
    const client = new Client({ host, port, database, user });
    client.on("error", () => undefined);
    await client.connect();
    await client.query("BEGIN");

    const disconnected = new Promise((resume) => client.once("end", resume));
    await postgres.close();
    await disconnected;
    await assert.rejects(client.query("SELECT 1"));
    // Mocha fails the test on an unhandled error in this time.
    await new Promise((resume) => setTimeout(resume, 100));
  });
});
