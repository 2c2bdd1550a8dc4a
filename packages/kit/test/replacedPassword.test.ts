import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createDatabase } from "./support/index.ts";
import { startSample } from "./support/sample.ts";

describe("a replaced password of the database", () => {
  it("fails no request while the file has it and the database doesn't yet", async () => {
    const database = await createDatabase();
    const role = `role_${randomBytes(4).toString("hex")}`;
    const folder = mkdtempSync(join(tmpdir(), "store-test-"));
    const file = join(folder, "password");
    writeFileSync(file, "first");
    await database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'first'`);
    await database.query(`GRANT CREATE ON SCHEMA public TO ${role}`);
    const service = await startSample({
      ...database.environment,
      DATABASE_USER: role,
      DATABASE_PASSWORD_FILE: file,
    });
    try {
      await service.ready();
      // Two transactions at a time, because the second one needs a new connection.
      const statuses = () =>
        Promise.all([1, 2].map(async () => (await service.fetch("/things")).status));
      writeFileSync(file, "second");
      await database.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${role}'`,
      );
      const answers = statuses();
      await delay(1_000);
      await database.query(`ALTER ROLE ${role} PASSWORD 'second'`);
      assert.deepEqual(await answers, [200, 200]);
      await service.ready();
    } finally {
      await service.stop();
      rmSync(folder, { recursive: true });
      await database.query(`DROP OWNED BY ${role}`);
      await database.query(`DROP ROLE ${role}`);
    }
  });
});
