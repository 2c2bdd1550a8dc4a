import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkState } from "@store/cli/doctor/checks";
import { createSession } from "../diagnostics/failedRun";

describe("the file meta.yaml of a state in files", () => {
  for (const [where, config, folder] of [
    ["of this checkout", {}, ".store/state"],
    ["shared by checkouts", { "store:stateBackend": "file://./team state" }, "team state"],
  ] as const) {
    it(`is checked by \`doctor\` in a folder ${where}`, () => {
      const session = createSession({ "store:host": "local", ...config });
      const root = join(session.project.root, folder, ".pulumi");
      const file = join(root, "meta.yaml");
      const check = () => checkState({ session })[0];
      assert.equal(check()?.status, "ok", "without a state");

      mkdirSync(root, { recursive: true });
      for (const text of ["", "vers", "version: {", "version: 0\n"]) {
        writeFileSync(file, text);
        const result = check();
        assert.equal(result?.status, "failed", text);
        assert.ok(result.found.includes(file), result.found);
        assert.ok(result.hint?.includes(`echo 'version: 1' > '${file}'`), result.hint);
      }
      writeFileSync(file, "version: 1\n");
      assert.equal(check()?.status, "ok");
    });
  }
});
