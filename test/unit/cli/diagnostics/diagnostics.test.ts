import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { hostname } from "node:os";
import { ExitCode } from "@store/docker/cliError";
import { NETWORK } from "../../mocks";
import {
  applyRulesTo,
  diagnose,
  engineEvents,
  failedStep,
  recordedEvents,
  ruleNames,
} from "./failedRun";

describe("diagnoseRun", () => {
  it("claims only what was checked: whether a previous version runs, and whether something was changed", async () => {
    const failed = failedStep(NETWORK, "backend", "something unknown");
    assert.doesNotMatch((await diagnose(failed)).hint ?? "", /previous version|left unchanged/);
    const { hint } = await diagnose(failed, { running: ["c1"] });
    assert.match(hint ?? "", /^The previous version keeps running\. Fix the cause, then: /);
    const down = await diagnose(failed, { running: ["c1"], command: "down" });
    assert.doesNotMatch(down.hint ?? "", /previous version/);

    const message = "a program's error";
    const program = { diagnosticEvent: { urn: "", severity: "error", message } } as const;
    const step = (op: string) => ({
      resOutputsEvent: { metadata: { op, urn: "urn:n", type: NETWORK } },
    });
    const hintAfter = async (...ops: readonly string[]) =>
      (await diagnose(engineEvents(...ops.map(step), program))).hint ?? "";
    assert.match(await hintAfter("same", "refresh"), /^Nothing was changed\./);
    assert.match(await hintAfter("same", "create"), /^The stack dev is partly changed\./);
  });

  it("lists an error that only the engine's stderr has, and no summary of the others", async () => {
    const failed = failedStep(NETWORK, "backend", "something unknown");
    const withEngine = async (stderr: string) => (await diagnose(failed, { stderr })).summary;
    assert.match(
      await withEngine("error: saving the state: disk quota\n"),
      /Also:\n.*saving the state/,
    );
    assert.doesNotMatch(await withEngine("error: update failed\n"), /Also/);
  });

  it("finds the engine's lock", () => {
    const stderr =
      "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the " +
      "lock file with `pulumi cancel`.\n  file:///s/.pulumi/locks/x.json: created by root@vm (pid 28646) at 2026-11-23T12:18:49Z\n";
    assert.deepEqual(ruleNames([], stderr), ["stack-locked"]);
  });

  it("names the holder of a lock on a remote backend", async () => {
    const stderr =
      "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the " +
      "lock file with `pulumi cancel`.\n" +
      "  azblob://state/.pulumi/locks/organization/store/dev/1.json: created by ann@annes-laptop (pid 7) at 2026-11-23T12:18:49Z\n";
    const { summary, hint } = await diagnose([], { stderr });
    assert.match(
      summary,
      /Another run .*process 7 on annes-laptop, of ann, since 2[234]\/11\/2026/,
    );
    assert.match(hint ?? "", /\.\/store pulumi cancel --yes/);
    const cloud = "error: [409] Conflict: Another update is currently in progress.\n";
    assert.deepEqual(ruleNames([], cloud), ["stack-locked"]);
  });

  it("says how to remove a lock whose process of this machine is gone, instead of how to stop it", async () => {
    const { pid } = spawnSync(process.execPath, ["-e", ""]);
    const stderr =
      "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the " +
      "lock file with `pulumi cancel`.\n" +
      `  azblob://state/.pulumi/locks/organization/store/dev/1.json: created by ann@${hostname()} (pid ${pid}) at 2026-11-23T12:18:49Z\n`;
    const { summary, hint } = await diagnose([], { stderr });
    assert.match(summary, new RegExp(`process ${pid} of ann .*no longer runs`));
    assert.match(hint ?? "", /\.\/store pulumi cancel --yes/);
    assert.doesNotMatch(hint ?? "", /kill/);
  });

  it("finds changes when none were expected", async () => {
    const stderr = "error: no changes were expected but changes were proposed\n";
    assert.deepEqual(ruleNames([], stderr), ["unexpected-changes"]);
    const { summary, hint } = await diagnose([], { stderr, command: "preview" });
    assert.match(summary, /--expect-no-changes/);
    assert.match(hint ?? "", /\.\/store up/);
  });

  it("finds an exception in the program, and its place", async () => {
    assert.deepEqual(ruleNames(recordedEvents("mistake")), ["program-failed"]);
    const { summary, details } = await diagnose(recordedEvents("mistake"));
    assert.match(summary, /TypeError: Cannot read properties of undefined \(reading 'x'\)$/);
    assert.deepEqual(details, ["at Object.<anonymous> (/home/dev/store/index.ts:9:38)"]);
  });

  it("omits the command of a script from the script's error message", () => {
    const message =
      'Process exited with status 1: running "script=$(cat)":\nDocker doesn\'t run.\n';
    const [found] = applyRulesTo(failedStep("command:remote:Command", "host-ready", message));
    assert.equal(found?.rule.name, "resource-failed");
    assert.equal(found.error.message, "Docker doesn't run.");
  });

  it("reports the cause before its consequences", async () => {
    const mixed = ["unhealthy", "build", "port"].flatMap(recordedEvents);
    assert.deepEqual(ruleNames(mixed), ["port-taken", "build-failed", "container-unhealthy"]);
    const { summary } = await diagnose(mixed);
    assert.match(summary, /18091[^]*Also:\n {2}- broken-image.*\n {2}- broken-0/);
  });

  it("omits what the engine canceled because of another error, but not if there is no other", async () => {
    const canceled = engineEvents({
      diagnosticEvent: {
        severity: "error",
        message: "failed to run remediation: context canceled",
      },
    });
    const failed = failedStep("command:remote:Command", "data-folders", "no space left");
    const { summary } = await diagnose([...canceled, ...failed]);
    assert.doesNotMatch(summary, /canceled/);
    assert.match((await diagnose(canceled)).summary, /context canceled/);
  });

  it("says a message once that many resources have in common, and lists all different ones", async () => {
    const volumes = Array.from({ length: 17 }, (_, n) => `volume-${n}`);
    const steps = volumes.flatMap((name) =>
      failedStep("docker:index:Volume", name, "no context foo"),
    );
    const other = failedStep(
      "docker:index:Network",
      "edge",
      "1 error occurred:\n\t* no such driver",
    );
    // In a preview no step fails, and the engine puts "Preview failed: " before the message.
    const preview = volumes.map((name) => ({
      urn: `urn:pulumi:dev::store::docker:index:Volume::${name}`,
      severity: "error" as const,
      message: "Preview failed: 1 error occurred:\n\t* no context foo\n",
    }));
    const errors = [
      await diagnose([...steps, ...other]),
      await diagnose(engineEvents(...preview.map((diagnosticEvent) => ({ diagnosticEvent })))),
    ];
    assert.match(
      errors[0]?.summary ?? "",
      /^volume-0, volume-1, volume-2 and 14 more: no context foo\n {2}Also:\n {2}- edge: no such driver$/,
    );
    assert.equal(errors[1]?.summary, "no context foo");
  });

  it("passes on the engine's message if no rule is for it", async () => {
    const stderr = "error: could not query endpoint: no route to host\n";
    assert.deepEqual(ruleNames([], stderr), ["engine-failed"]);
    const { summary } = await diagnose([], { stderr });
    assert.equal(summary, "could not query endpoint: no route to host");
  });

  it("reports the exit code of an engine that reported no error", async () => {
    assert.deepEqual(ruleNames([]), []);
    assert.match((await diagnose([])).summary, /exit code 255/);
  });

  it("reports an interrupted run with an exit code of its own", async () => {
    const error = await diagnose(recordedEvents("interrupted"), { interrupted: true });
    assert.equal(error.exitCode, ExitCode.Interrupted);
    assert.match(error.hint ?? "", /\.\/store up/);
  });

  it("claims no saved state if a closed terminal ended the engine at once", async () => {
    const saved = await diagnose([], { interrupted: true });
    const lost = await diagnose([], { interrupted: true, killedBy: "SIGHUP" });
    assert.match(saved.hint ?? "", /state is saved/);
    assert.doesNotMatch(lost.hint ?? "", /state is saved/);
    assert.match(lost.summary, /SIGHUP ended the engine/);
  });

  it("advises to continue an interrupted down with down", async () => {
    const error = await diagnose([], { command: "down", interrupted: true });
    assert.match(error.hint ?? "", /Continue: \.\/store down/);
    assert.doesNotMatch(error.summary, /keep running/);
  });
});
