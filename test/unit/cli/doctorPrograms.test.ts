import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CheckResult } from "@store/cli/doctor/check";
import { checkNpm } from "@store/cli/doctor/checks";
import { checkAzureLogin } from "@store/cli/doctor/configChecks";
import { withEnvironment } from "../environment";
import { createSession } from "./diagnostics/failedRun";

describe("`doctor`", () => {
  let bin: string;
  beforeEach(() => (bin = mkdtempSync(join(tmpdir(), "store-doctor-"))));
  afterEach(() => rmSync(bin, { recursive: true }));

  /** Returns the result of a check with a program, which is a script; without it if undefined. */
  const resultWith = async (
    program: string,
    script: string | undefined,
    check: () => Promise<readonly CheckResult[]>,
  ): Promise<CheckResult> => {
    if (script !== undefined)
      writeFileSync(join(bin, program), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    let results: readonly CheckResult[] = [];
    const environment = { PATH: bin, ARM_CLIENT_ID: undefined };
    await withEnvironment(environment, async () => void (results = await check()));
    const [result] = results;
    assert.ok(result);
    return result;
  };

  describe("of npm", () => {
    const npm = (script?: string) => resultWith("npm", script, checkNpm);

    it("prints the version", async () => {
      assert.deepEqual(await npm("echo 11.1.0"), { title: "npm", status: "ok", found: "11.1.0" });
    });

    it("tells a missing npm from one that fails, whose error it prints", async () => {
      assert.equal((await npm()).found, "not found");
      const trace = "echo 'node:internal:1' >&2; echo 'Error: Cannot find module' >&2; exit 1";
      const { status, found } = await npm(trace);
      assert.equal(status, "failed");
      assert.match(found, /failed: Error: Cannot find module$/);
      assert.match((await npm("exit 7")).found, /exit code 7/);
    });
  });

  describe("of the Azure login", () => {
    const session = createSession({ "store:host": "azure" });
    const login = (script?: string) => resultWith("az", script, () => checkAzureLogin({ session }));

    it("prints the subscription", async () => {
      const { status, found } = await login(`echo '{"name": "Shop"}'`);
      assert.deepEqual([status, found], ["ok", "subscription Shop, from az"]);
    });

    it("tells a missing az from a missing login, and prints the message of another failure", async () => {
      const missing = await login();
      assert.match(missing.found, /isn't installed/);
      assert.match(missing.hint ?? "", /^Install it/);
      const loggedOut = await login(`echo "ERROR: Please run 'az login'." >&2; exit 1`);
      assert.equal(loggedOut.status, "failed");
      assert.match(loggedOut.found, /az isn't logged in/);
      assert.match(loggedOut.hint ?? "", /^az login/);
      assert.match((await login("echo 'ERROR: broken' >&2; exit 1")).found, /ERROR: broken$/);
    });
  });
});
