import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { keyOf, makeFolder } from "@store/toolchain/system/cache";
import { withLock } from "@store/toolchain/system/lock";
import { compareVersions, isAtLeast, parseVersion } from "@store/toolchain/system/versions";

let folder: string;

/** A new folder for each test of the suite that calls this. */
function useFolder(): void {
  beforeEach(() => (folder = mkdtempSync(path.join(os.tmpdir(), "store-toolchain-"))));
  afterEach(() => rmSync(folder, { recursive: true }));
}

describe("The toolchain's lock", () => {
  useFolder();
  const nobodyWaits = (): void => assert.fail("nobody holds it");

  it("is gone after the action, also after one that fails", async () => {
    assert.equal(await withLock(folder, "x", nobodyWaits, () => Promise.resolve(1)), 1);
    await assert.rejects(
      withLock(folder, "x", nobodyWaits, () => Promise.reject(new Error("no"))),
      /no/,
    );
    assert.deepEqual(readdirSync(folder), []);
  });

  it("lets one in at a time, and says whom the others wait for", async () => {
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

  it("does not wait for a process that has died", async () => {
    const dead = spawnSync("true").pid;
    writeFileSync(path.join(folder, "x.lock.4"), `${dead}\n`);
    assert.equal(await withLock(folder, "x", nobodyWaits, () => Promise.resolve("mine")), "mine");
  });

  it("does not take another process of the same number for the one that has died", async function () {
    if (process.platform !== "linux") this.skip();
    writeFileSync(path.join(folder, "x.lock.1"), `${process.pid}\n1`);
    assert.equal(await withLock(folder, "x", nobodyWaits, () => Promise.resolve("mine")), "mine");
  });

  it("is taken over by one of two who find it stale", async () => {
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

describe("A folder of the cache", () => {
  useFolder();

  it("is there whole or not at all", async () => {
    const target = path.join(folder, "made");
    await assert.rejects(
      makeFolder(target, (partial) => {
        writeFileSync(path.join(partial, "half"), "");
        return Promise.reject(new Error("broken off"));
      }),
      /broken off/,
    );
    assert.deepEqual(readdirSync(folder), []);
    await makeFolder(target, (partial) => {
      writeFileSync(path.join(partial, "whole"), "");
      return Promise.resolve();
    });
    assert.deepEqual(readdirSync(folder), ["made"]);
    assert.ok(existsSync(path.join(target, "whole")));
  });

  it("starts anew from what a killed process left", async () => {
    const target = path.join(folder, "made");
    mkdirSync(`${target}.partial`);
    writeFileSync(path.join(`${target}.partial`, "left over"), "");
    await makeFolder(target, () => Promise.resolve());
    assert.deepEqual(readdirSync(target), []);
  });

  it("has a key that tells all of its inputs apart", () => {
    assert.equal(keyOf({ a: "1", b: "2" }), keyOf({ b: "2", a: "1" }));
    assert.notEqual(keyOf({ a: "12", b: "" }), keyOf({ a: "1", b: "2" }));
    assert.notEqual(keyOf({ a: "1" }), keyOf({ b: "1" }));
  });
});

describe("Versions", () => {
  it("are compared by their numbers", () => {
    assert.ok(compareVersions("3.9.0", "3.10.0") < 0);
    assert.ok(compareVersions("v3.259.0", "3.259.0") === 0);
    assert.ok(compareVersions("3.259.1", "3.259") > 0);
    assert.ok(compareVersions("3.259.0-alpha.1", "3.259.0") < 0);
    assert.ok(compareVersions("3.0.11-1+deb13u3", "3.0.11") === 0);
  });

  it("are found in what programs say, or not there", () => {
    assert.deepEqual(parseVersion("go1.26.8"), [1, 26, 8]);
    assert.equal(parseVersion("devel"), undefined);
    assert.equal(isAtLeast("devel", "1.0"), false);
  });
});
