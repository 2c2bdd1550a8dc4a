import assert from "node:assert/strict";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { checkPassphrase } from "@store/cli/doctor/checks";
import type { Session } from "@store/cli/project/session";
import { unreadableOutputs } from "@store/cli/state/outputs";
import { lostPassphrase, wrongPassphrase } from "@store/cli/state/passphrase";
import { checkpointFile, prepareState } from "@store/cli/state/state";
import { withEnvironment } from "../../environment";
import { createSession, diagnose } from "../diagnostics/failedRun";

const INCORRECT = "error: getting secrets manager: incorrect passphrase\n";
const UNSET = { PULUMI_CONFIG_PASSPHRASE: undefined, PULUMI_CONFIG_PASSPHRASE_FILE: undefined };

describe("the passphrase of a stack's state", () => {
  let session: Session;
  let file: string;
  beforeEach(() => {
    session = createSession({ "store:host": "local" });
    file = join(session.state.folder, "passphrase");
    prepareState(session.state, {});
  });

  const putState = (): void => {
    const state = checkpointFile(session.state, "dev") ?? "";
    mkdirSync(dirname(state), { recursive: true });
    const latest = { secrets_providers: { state: { salt: "v1:c2FsdA==" } } };
    writeFileSync(state, JSON.stringify({ checkpoint: { latest } }));
  };

  it("isn't replaced by a new one if its file is missing or empty, and `doctor` reports that", async () => {
    putState();
    prepareState(session.state, {});
    for (const [problem, lose] of [
      ["empty", () => writeFileSync(file, "\n")],
      ["missing", () => rmSync(file)],
    ] as const) {
      lose();
      assert.throws(
        () => prepareState(session.state, {}),
        new RegExp(`passphrase is ${problem}, but the secrets .* stack dev`),
      );
      await withEnvironment(UNSET, () => {
        const [result] = checkPassphrase({ session });
        assert.equal(result?.status, "failed");
        assert.match(result.hint ?? "", /Restore the file from a backup/);
      });
    }
    assert.equal(existsSync(file), false);
    prepareState(session.state, { PULUMI_CONFIG_PASSPHRASE: "own" });
  });

  it("is created for a new stack, but not used if it is empty", () => {
    rmSync(file);
    assert.equal(lostPassphrase(session.state, {}), undefined);
    prepareState(session.state, {});
    writeFileSync(file, "");
    assert.match(lostPassphrase(session.state, {})?.hint ?? "", /delete it/);
  });

  it("is hidden by a variable for another project, which is to be unset", async () => {
    for (const variable of ["PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"]) {
      const env = { ...UNSET, [variable]: "other" };
      await withEnvironment(env, async () => {
        const files = { ".store/passphrase": "own" };
        const { summary, hint } = await diagnose([], { stderr: INCORRECT, files });
        assert.match(summary, new RegExp(`The passphrase in ${variable} isn't`));
        assert.match(hint ?? "", new RegExp(`: unset ${variable}$`));
      });
      const token = unreadableOutputs(session, INCORRECT, env);
      assert.match(token.hint ?? "", new RegExp(`: unset ${variable}$`));
      assert.doesNotMatch(token.hint ?? "", /whoever moved/);
    }
  });

  it("isn't another one that took the place of its file", () => {
    const { summary, hint } = wrongPassphrase(session, {});
    assert.match(summary, /The passphrase in .*\.store\/passphrase isn't/);
    assert.match(hint, /Restore the file from a backup/);
    assert.doesNotMatch(summary + hint, /encryptionsalt|Delete/);
  });

  it("is to be set for a backend that the user has chosen for all stacks", () => {
    const backend = { kind: "user", url: "s3://state", from: "PULUMI_BACKEND_URL" } as const;
    const { hint } = wrongPassphrase({ ...session, state: { ...session.state, backend } }, {});
    assert.match(hint, /^Set PULUMI_CONFIG_PASSPHRASE/);
  });
});
