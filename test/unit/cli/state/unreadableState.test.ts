import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { readRow } from "@store/cli/commands/inspect/ls";
import { checkState, resultsOf } from "@store/cli/doctor/checks";
import type { Session } from "@store/cli/project/session";
import { checkpointFile, readStackCheckpoint } from "@store/cli/state/state";
import { CliError } from "@store/docker/cliError";
import { createSession } from "../diagnostics/failedRun";

describe("a damaged state file", () => {
  let session: Session;
  let file: string;
  beforeEach(() => {
    session = createSession({ "store:host": "local" });
    file = checkpointFile(session.state, "dev") ?? "";
    mkdirSync(dirname(file), { recursive: true });
  });

  const read = () => readStackCheckpoint(session.state, "dev");
  const hint = (): string => {
    try {
      read();
    } catch (error) {
      assert.ok(error instanceof CliError);
      assert.ok(error.summary.includes(file), error.summary);
      return error.hint ?? "";
    }
    return assert.fail("the state was read");
  };

  it("is named, with the command that restores its backup", () => {
    for (const text of ["", '{"version":3,"checkp', "null"]) {
      writeFileSync(file, text);
      writeFileSync(`${file}.bak`, '{"version":3,"checkpoint":{}}');
      assert.ok(hint().includes(`cp '${file}.bak' '${file}'`), hint());
    }
  });

  it("isn't to be restored from a backup that is damaged or missing", () => {
    writeFileSync(file, "");
    assert.match(hint(), /Restore the file from a backup/);
    writeFileSync(`${file}.bak`, "{");
    assert.doesNotMatch(hint(), /cp /);
  });

  it("makes `ls` list the stack as unknown", async () => {
    writeFileSync(file, "");
    assert.equal((await readRow(session)).state, "unknown");
  });

  it("is reported by `doctor` once", async () => {
    writeFileSync(file, "");
    const [result] = checkState({ session });
    assert.equal(result?.status, "failed");
    assert.ok(result.found.includes(file));
    const context = { session, docker: undefined, dockerResult: result };
    const check = () => {
      read();
      return [result];
    };
    assert.deepEqual(await resultsOf(check, context), []);
  });
});
