import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { CliError } from "@store/docker/cliError";
import { keyOf, makeFolder } from "@store/toolchain/system/cache";
import { withLock } from "@store/toolchain/system/lock";
import { compareVersions, isAtLeast, parseVersion } from "@store/toolchain/system/versions";

let folder: string;

/** Creates a new folder for each test of the calling suite. */
function useFolder(): void {
  beforeEach(() => (folder = mkdtempSync(path.join(os.tmpdir(), "store-toolchain-"))));
  afterEach(() => rmSync(folder, { recursive: true }));
}

describe("withLock", () => {
  useFolder();
  const failOnWait = (): void => assert.fail("the lock is not held");

  it("releases the lock after the action, also if it fails", async () => {
    assert.equal(await withLock(folder, "x", failOnWait, () => Promise.resolve(1)), 1);
    await assert.rejects(
      withLock(folder, "x", failOnWait, () => Promise.reject(new Error("no"))),
      /no/,
    );
    assert.deepEqual(readdirSync(folder), []);
  });

  it("says which folder it can't write to, and what to do", async () => {
    writeFileSync(path.join(folder, "file"), "");
    await assert.rejects(
      withLock(path.join(folder, "file", "cache"), "x", failOnWait, () => Promise.resolve()),
      (error: unknown) =>
        error instanceof CliError &&
        /Can't write to the cache folder .*file.cache: ENOTDIR/.test(error.message) &&
        /XDG_CACHE_HOME/.test(error.hint ?? ""),
    );
  });

  it("runs one action at a time and reports the process that the others wait for", async () => {
    let inside = 0;
    const waitedFor: number[] = [];
    const enter = (): Promise<void> =>
      withLock(
        folder,
        "x",
        (pid) => waitedFor.push(pid),
        async () => {
          assert.equal(++inside, 1);
          await sleep(20);
          inside--;
        },
      );
    await Promise.all([enter(), enter(), enter()]);
    assert.ok(waitedFor.length > 0 && waitedFor.every((pid) => pid === process.pid));
  });

  it("takes over the lock of a process that died", async () => {
    const dead = spawnSync("true").pid;
    writeFileSync(path.join(folder, "x.lock.4"), `${dead}\n`);
    assert.equal(await withLock(folder, "x", failOnWait, () => Promise.resolve("mine")), "mine");
  });

  it("takes over the lock if another process has got the holder's pid", async function () {
    if (process.platform !== "linux") this.skip();
    writeFileSync(path.join(folder, "x.lock.1"), `${process.pid}\n1`);
    assert.equal(await withLock(folder, "x", failOnWait, () => Promise.resolve("mine")), "mine");
  });

  it("lets only one of two processes take over a stale lock", async () => {
    const dead = spawnSync("true").pid;
    writeFileSync(path.join(folder, "x.lock.1"), `${dead}\n`);
    let inside = 0;
    const enter = (): Promise<void> =>
      withLock(
        folder,
        "x",
        () => undefined,
        async () => {
          assert.equal(++inside, 1);
          await sleep(20);
          inside--;
        },
      );
    await Promise.all([enter(), enter()]);
  });
});

describe("makeFolder and keyOf", () => {
  useFolder();

  it("creates a complete folder or none", async () => {
    const target = path.join(folder, "made");
    await assert.rejects(
      makeFolder(target, (partial) => {
        writeFileSync(path.join(partial, "half"), "");
        return Promise.reject(new Error("failed"));
      }),
      /failed/,
    );
    assert.deepEqual(readdirSync(folder), []);
    await makeFolder(target, (partial) => {
      writeFileSync(path.join(partial, "whole"), "");
      return Promise.resolve();
    });
    assert.deepEqual(readdirSync(folder), ["made"]);
    assert.ok(existsSync(path.join(target, "whole")));
  });

  it("removes the incomplete folder of a killed process", async () => {
    const target = path.join(folder, "made");
    mkdirSync(`${target}.partial`);
    writeFileSync(path.join(`${target}.partial`, "left over"), "");
    await makeFolder(target, () => Promise.resolve());
    assert.deepEqual(readdirSync(target), []);
  });

  it("returns different keys for different inputs", () => {
    assert.equal(keyOf({ a: "1", b: "2" }), keyOf({ b: "2", a: "1" }));
    assert.notEqual(keyOf({ a: "12", b: "" }), keyOf({ a: "1", b: "2" }));
    assert.notEqual(keyOf({ a: "1" }), keyOf({ b: "1" }));
  });
});

describe("versions", () => {
  it("are compared numerically", () => {
    assert.ok(compareVersions("3.9.0", "3.10.0") < 0);
    assert.ok(compareVersions("v3.259.0", "3.259.0") === 0);
    assert.ok(compareVersions("3.259.1", "3.259") > 0);
    assert.ok(compareVersions("3.259.0-alpha.1", "3.259.0") < 0);
    assert.ok(compareVersions("3.0.11-1+deb13u3", "3.0.11") === 0);
  });

  it("are parsed from the output of programs", () => {
    assert.deepEqual(parseVersion("go1.26.8"), [1, 26, 8]);
    assert.equal(parseVersion("devel"), undefined);
    assert.equal(isAtLeast("devel", "1.0"), false);
  });
});
