import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { isDead, ownMark } from "@store/toolchain/system/processIdentity";

describe("Who a rehearsal belongs to", () => {
  it("lives while its process does, and no longer", async () => {
    const child = spawn(process.execPath, ["-e", "setInterval(() => undefined, 1000)"]);
    const mark = ownMark(child.pid);
    assert.equal(isDead(ownMark()), false);
    assert.equal(isDead(mark), false);
    const ended = new Promise((done) => child.once("close", done));
    child.kill("SIGKILL");
    await ended;
    assert.equal(isDead(mark), true);
  });

  it("is dead when its process has ended, also while nobody asks how", async () => {
    // Its parent becomes another program, which doesn't know of it.
    const parent = spawn("sh", ["-c", "sleep 60 & echo $!; exec sleep 60"]);
    try {
      const pid = Number(await new Promise((said) => parent.stdout.once("data", said)));
      const mark = ownMark(pid);
      process.kill(pid, "SIGKILL");
      for (let i = 0; i < 100 && !isDead(mark); i++) await sleep(20);
      assert.equal(isDead(mark), true);
    } finally {
      parent.kill("SIGKILL");
    }
  });

  const [boot = "", space = "", pid = "", start = ""] = ownMark().split(" ");

  it("is dead when another process has its id now", () => {
    assert.equal(isDead([boot, space, pid, `${start}1`].join(" ")), true);
  });

  it("is dead after the machine has been started again", () => {
    assert.equal(isDead(["another-boot", space, pid, start].join(" ")), true);
  });

  it("is taken to live where it can't be looked for: in another container", () => {
    assert.equal(isDead([boot, "pid:[1]", "999999999", "1"].join(" ")), false);
  });
});
