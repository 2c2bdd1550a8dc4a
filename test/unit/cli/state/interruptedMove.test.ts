import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { CliError } from "@store/docker/cliError";
import { parseProject } from "@store/cli/project/project";
import type { Session } from "@store/cli/project/session";
import { isSameBackend } from "@store/cli/state/backend";
import { MoveJournal, type Move } from "@store/cli/state/move/moveJournal";
import { finishMove, type MoveRequest, moveState } from "@store/cli/state/move/moveState";
import { hashResources, resourcesByUrn } from "@store/cli/state/move/stackContent";
import { findState } from "@store/cli/state/state";
import type { Reporter } from "@store/cli/terminal/terminal";

const ENGINE = join(__dirname, "stubEngine.sh");
const EMPTY = JSON.stringify({ deployment: { resources: [] } });
/** A state with one resource. */
const stateWith = (id: string): string =>
  JSON.stringify({ deployment: { resources: [{ urn: "urn:x", id }] } });

describe("an interrupted move of a stack's state", () => {
  let root: string;
  beforeEach(() => (root = mkdtempSync(join(tmpdir(), "store-move-"))));
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const urlOf = (backend: string): string => `file://${join(root, backend)}`;
  /** Returns the names of the stacks on a backend, without the time of a move. */
  const stacksAt = (backend: string): string[] =>
    existsSync(join(root, backend))
      ? readdirSync(join(root, backend))
          .filter((name) => name.endsWith(".json"))
          .map((name) => name.replace(/\d+\.json$|\.json$/, ""))
      : [];
  const textAt = (backend: string): string =>
    readFileSync(join(root, backend, "dev.json"), "utf8").trim();
  const putState = (backend: string, text: string): void => {
    mkdirSync(join(root, backend), { recursive: true });
    writeFileSync(join(root, backend, "dev.json"), text);
  };

  /** A request of a stack whose file names a backend. */
  const requestOf = (current: string, to: string): MoveRequest => {
    const file = join(root, "Pulumi.dev.yaml");
    writeFileSync(file, `config:\n  store:stateBackend: ${urlOf(current)}\n`);
    const project = parseProject(root, "name: store\n");
    const stack = { name: "dev", file };
    const session: Session = {
      project,
      stack,
      state: findState(project, { PULUMI_HOME: root }, stack),
    };
    const report: Reporter = {
      step: () => undefined,
      progress: () => undefined,
      note: () => undefined,
    };
    return {
      session,
      engine: {
        engine: { pulumi: ENGINE, version: "3", how: "path", env: {} },
        env: { ...process.env, PULUMI_BACKEND_URL: urlOf(current) },
      },
      to: { kind: "user", url: urlOf(to), from: "the command line", isStackChoice: true },
      choice: urlOf(to),
      secretsProvider: "default",
      report,
    };
  };
  const journalOf = ({ session }: MoveRequest): MoveJournal =>
    new MoveJournal(session.state, "dev");
  /** Notes a move from "old" to "team" that was interrupted at a step, when the state had one resource with the ID "1". */
  const interrupt = (request: MoveRequest, step: Move["step"]): void => {
    const hash = hashResources({ resources: resourcesByUrn(stateWith("1")) });
    journalOf(request).write({ from: urlOf("old"), to: urlOf("team"), step, hash });
  };

  for (const step of ["copying", "switched"] as const) {
    it(`is finished before the next one if the stack uses the new backend, at the step ${step}`, async () => {
      for (const live of [stateWith("1"), stateWith("deployed since")]) {
        putState("old", stateWith("1"));
        putState("team", live);
        const request = requestOf("team", "third");
        interrupt(request, step);
        await moveState(request);
        assert.deepEqual(stacksAt("old"), ["dev-moved-"]);
        assert.deepEqual(stacksAt("team"), ["dev-moved-"]);
        assert.equal(textAt("third"), live);
        const { from, to, step: last } = journalOf(request).read() ?? {};
        assert.deepEqual(
          { from, to, last },
          { from: urlOf("team"), to: urlOf("third"), last: "done" },
        );
        for (const backend of ["old", "team", "third"])
          rmSync(join(root, backend), { recursive: true });
      }
    });
  }

  it("is known by the URL of its backend, which somebody may have written in another form", () => {
    assert.ok(isSameBackend("s3://team", "s3://team/"));
    assert.ok(isSameBackend("file:///mnt/team%20state", "file:///mnt/team state/"));
    assert.ok(!isSameBackend("s3://team/a", "s3://team/b"));
    assert.ok(!isSameBackend("file:///team", "s3://team"));
  });

  it("isn't finished while nothing is copied, although the stack's file was edited to name the new backend", async () => {
    for (const copied of [EMPTY, undefined]) {
      putState("old", stateWith("1"));
      if (copied !== undefined) putState("team", copied);
      const request = requestOf("team", "third");
      interrupt(request, "copying");
      for (const run of [moveState, finishMove]) {
        await assert.rejects(run(request), (error) => {
          assert.ok(error instanceof CliError);
          assert.match(
            error.hint ?? "",
            new RegExp(`config set store:stateBackend '${urlOf("old")}'`),
          );
          return true;
        });
      }
      assert.deepEqual(stacksAt("old"), ["dev"]);
      assert.deepEqual(stacksAt("third"), []);
      rmSync(join(root, "team"), { recursive: true, force: true });
    }
  });

  it("is refused another one after the stack's file was taken back to the old backend", async () => {
    putState("old", stateWith("1"));
    putState("team", stateWith("deployed since"));
    for (const to of ["third", "team"]) {
      const request = requestOf("old", to);
      interrupt(request, "switched");
      await assert.rejects(moveState(request), (error) => {
        assert.ok(error instanceof CliError);
        assert.doesNotMatch(error.hint ?? "", /stack rm/);
        return true;
      });
      assert.equal(journalOf(request).read()?.step, "switched");
      assert.deepEqual(
        [stacksAt("old"), stacksAt("team"), stacksAt("third")],
        [["dev"], ["dev"], []],
      );
    }
  });

  it("has its copy removed and is run again while the stack uses the old backend", async () => {
    putState("old", stateWith("1"));
    putState("team", stateWith("1"));
    const request = requestOf("old", "third");
    interrupt(request, "copying");
    await moveState(request);
    assert.deepEqual(
      [stacksAt("old"), stacksAt("team"), stacksAt("third")],
      [["dev-moved-"], [], ["dev"]],
    );
  });

  it("isn't begun while an engine of another checkout works on a shared folder", async () => {
    putState("old", stateWith("1"));
    const locks = join(root, "old/.pulumi/locks/organization/store/dev");
    mkdirSync(locks, { recursive: true });
    const putLock = (pid: number): void => {
      const lock = { pid, hostname: hostname(), timestamp: new Date().toISOString() };
      writeFileSync(join(locks, "1.json"), JSON.stringify(lock));
    };
    putLock(process.pid);
    const request = requestOf("old", "team");
    const refusal = new RegExp(`Another run .*process ${process.pid}.*Nothing was changed`);
    await assert.rejects(moveState(request), refusal);
    assert.deepEqual([stacksAt("old"), stacksAt("team")], [["dev"], []]);
    assert.equal(journalOf(request).read(), undefined);

    putLock(spawnSync(process.execPath, ["-e", ""]).pid);
    await moveState(request);
    assert.deepEqual([stacksAt("old"), stacksAt("team")], [["dev-moved-"], ["dev"]]);
  });

  it("leaves a copy that somebody has changed", async () => {
    putState("old", stateWith("1"));
    putState("team", stateWith("deployed since"));
    const request = requestOf("old", "third");
    interrupt(request, "copying");
    await assert.rejects(moveState(request), /somebody has changed it\. Nothing was moved/);
    assert.deepEqual(stacksAt("team"), ["dev"]);
  });
});
