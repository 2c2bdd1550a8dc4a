import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { removeStaleEngineLocks } from "@store/cli/engine/setup";
import { isOnLocalDisk } from "@store/cli/state/localDisk";
import { createSession } from "../diagnostics/failedRun";

describe("the engine's locks in a shared folder", () => {
  const deadPid = (): number => spawnSync(process.execPath, ["-e", ""]).pid;
  /** Puts a lock on the stack dev into a folder that its file names. */
  const locked = (pid: number, host = hostname()) => {
    const session = createSession({
      "store:host": "local",
      "store:stateBackend": "file://./team state",
    });
    const folder = join(session.project.root, "team state/.pulumi/locks/organization/store/dev");
    mkdirSync(folder, { recursive: true });
    const file = join(folder, "1.json");
    const timestamp = new Date().toISOString();
    writeFileSync(file, JSON.stringify({ pid, hostname: host, username: "ann", timestamp }));
    const notes: string[] = [];
    const remove = () => removeStaleEngineLocks(session, { note: (text) => notes.push(text) });
    return { file, notes, remove };
  };

  it("are removed if their process of this machine was killed", async function () {
    if (!isOnLocalDisk(__dirname)) this.skip();
    const pid = deadPid();
    const { file, notes, remove } = locked(pid);
    await remove();
    assert.equal(existsSync(file), false);
    assert.match(notes.join("\n"), new RegExp(`removed the lock of process ${pid}`));
  });

  it("are left if their process runs, or is of another machine", async () => {
    for (const { file, remove } of [locked(process.pid), locked(deadPid(), "elsewhere")]) {
      await assert.rejects(remove(), /Another run is working on the stack dev/);
      assert.equal(existsSync(file), true);
    }
  });

  it("are left on a network's file system, where another machine may have the same name", () => {
    const NFS = 0x6969;
    const EXT4 = 0xef53;
    assert.equal(
      isOnLocalDisk("/mnt", () => NFS),
      false,
    );
    assert.equal(
      isOnLocalDisk("/mnt", () => EXT4),
      process.platform === "linux",
    );
  });
});
