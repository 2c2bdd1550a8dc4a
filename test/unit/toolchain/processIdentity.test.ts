import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import {
  isPidAlive,
  isProcessAlive,
  processIdentity,
  startDate,
} from "@store/toolchain/system/processIdentity";

describe("processIdentity", () => {
  it("is alive exactly as long as its process", async () => {
    const child = spawn(process.execPath, ["-e", "setInterval(() => undefined, 1000)"]);
    const identity = processIdentity(child.pid);
    assert.equal(isProcessAlive(processIdentity()), true);
    assert.equal(isProcessAlive(identity), true);
    const ended = new Promise((done) => child.once("close", done));
    child.kill("SIGKILL");
    await ended;
    assert.equal(isProcessAlive(identity), false);
  });

  it("is not alive when its process is a zombie", async () => {
    // exec replaces the parent with a program that never collects its child's exit code.
    const parent = spawn("sh", ["-c", "sleep 600 & echo $!; exec sleep 600"]);
    try {
      const pid = Number(await new Promise((resolve) => parent.stdout.once("data", resolve)));
      const identity = processIdentity(pid);
      process.kill(pid, "SIGKILL");
      for (let i = 0; i < 3_000 && isProcessAlive(identity); i++) await sleep(20);
      assert.equal(isProcessAlive(identity), false);
    } finally {
      parent.kill("SIGKILL");
    }
  });

  const [boot = "", namespace = "", pid = "", start = ""] = processIdentity().split(" ");

  it("is not alive when another process has got the same pid", () => {
    assert.equal(isProcessAlive([boot, namespace, pid, `${start}1`].join(" ")), false);
  });

  it("is not alive after a reboot", () => {
    assert.equal(isProcessAlive(["another-boot", namespace, pid, start].join(" ")), false);
  });

  it("counts as alive when its pid namespace can't be checked", () => {
    assert.equal(isProcessAlive([boot, "pid:[1]", "999999999", "1"].join(" ")), true);
  });
});

describe("isPidAlive", () => {
  it("is true for this process and for processes of other users", () => {
    assert.equal(isPidAlive(process.pid), true);
    assert.equal(isPidAlive(1), true);
  });

  it("is false for a pid that no process has", () => {
    assert.equal(isPidAlive(999_999_999), false);
  });
});

describe("startDate", () => {
  it("is the time at which the process started", () => {
    const expected = Date.now() - process.uptime() * 1000;
    const date = startDate(process.pid);
    assert.ok(date && Math.abs(date.getTime() - expected) < 30_000, String(date));
    assert.equal(startDate(999_999_999), undefined);
  });
});
