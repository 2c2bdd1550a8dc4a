import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isPidAlive } from "@store/toolchain/system/processIdentity";

/** Stub of the engine: starts a plugin, whose engine doesn't answer, and prints progress without end. */
const ENGINE = `#!/bin/bash
(exec -a /x/pulumi-resource-stub tail -f /dev/null 127.0.0.1:1 >/dev/null 2>&1) &
echo $! > "$PLUGIN_FILE"
while :; do echo progress; sleep 0.05; done
`;

/** Stub of a slow engine: ends three seconds after Ctrl-C, and logs the signal only then. Adds a line to a file for each signal. */
const SLOW_ENGINE = `#!/usr/bin/env node
const { appendFileSync, writeFileSync } = require("node:fs");
const running = setInterval(() => undefined, 1000);
const end = () => {
  clearInterval(running);
  writeFileSync(process.env.EVENT_LOG, '{"stdoutEvent":{"message":"^C received; cancelling."}}\\n');
};
process.on("SIGINT", () => appendFileSync(process.env.SIGNALS_FILE, "SIGINT\\n"));
process.once("SIGINT", () => setTimeout(end, 3000));
console.log("started");
`;

/** Stub of an engine that runs until a signal ends it. Writes SIGTERM to a file, and dies of SIGHUP. */
const WAITING_ENGINE = `#!/usr/bin/env node
process.on("SIGTERM", () => {
  require("node:fs").writeFileSync(process.env.SIGNALS_FILE, "SIGTERM");
  process.exit(0);
});
setInterval(() => undefined, 1000);
console.log("started");
`;

const RUN = `const { runEngine } = require("@store/cli/engine/runEngine");
  const eventLog = process.env.EVENT_LOG ?? "/nowhere";
  runEngine({ pulumi: process.argv[1], args: [], cwd: ".", env: process.env, eventLog })
    .then(({ exitCode, killedBy }) => process.stderr.write("exit code " + exitCode + ", killed by " + killedBy));`;
const RUN_BY_NODE = ["--require", "ts-node/register/transpile-only", "-e", RUN];

describe("runEngine", () => {
  it("sends no second signal to an engine that is slow to notice Ctrl-C", async () => {
    const folder = mkdtempSync(join(tmpdir(), "store-engine-"));
    const [engine, signals] = [join(folder, "pulumi"), join(folder, "signals")];
    try {
      writeFileSync(engine, SLOW_ENGINE, { mode: 0o755 });
      const child = spawn(process.execPath, [...RUN_BY_NODE, engine], {
        cwd: __dirname,
        env: { ...process.env, SIGNALS_FILE: signals, EVENT_LOG: join(folder, "events") },
        // The process group of a terminal.
        detached: true,
        stdio: ["ignore", "pipe", "pipe"],
      });
      await once(child.stdout, "data");
      process.kill(-(child.pid ?? assert.fail()), "SIGINT");
      await once(child, "close");
      assert.equal(readFileSync(signals, "utf8"), "SIGINT\n");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  /** Sends SIGHUP during a run. Returns what the engine has received and the run's result. */
  const hangUp = async (target: "command" | "process group") => {
    const folder = mkdtempSync(join(tmpdir(), "store-engine-"));
    const [engine, signals] = [join(folder, "pulumi"), join(folder, "signals")];
    try {
      writeFileSync(engine, WAITING_ENGINE, { mode: 0o755 });
      writeFileSync(signals, "");
      const child = spawn(process.execPath, [...RUN_BY_NODE, engine], {
        cwd: __dirname,
        env: { ...process.env, SIGNALS_FILE: signals, EVENT_LOG: join(folder, "events") },
        detached: true,
        stdio: ["ignore", "pipe", "pipe"],
      });
      let result = "";
      child.stderr.on("data", (text: Buffer) => (result += text.toString()));
      await once(child.stdout, "data");
      const pid = child.pid ?? assert.fail();
      process.kill(target === "command" ? pid : -pid, "SIGHUP");
      await once(child, "close");
      return { received: readFileSync(signals, "utf8"), result };
    } finally {
      rmSync(folder, { recursive: true });
    }
  };

  it("asks the engine to stop when SIGHUP reaches the command alone", async () => {
    const { received, result } = await hangUp("command");
    assert.equal(received, "SIGTERM");
    assert.match(result, /killed by undefined/);
  });

  it("reports that SIGHUP to the process group has ended the engine at once", async () => {
    const { result } = await hangUp("process group");
    assert.match(result, /killed by SIGHUP/);
  });

  it("ends the plugins of an engine that `head` has killed by closing its output", async function () {
    if (process.platform !== "linux") this.skip();
    const folder = mkdtempSync(join(tmpdir(), "store-engine-"));
    const [engine, plugin] = [join(folder, "pulumi"), join(folder, "plugin")];
    let pid = 0;
    try {
      writeFileSync(engine, ENGINE, { mode: 0o755 });
      const command = [process.execPath, ...RUN_BY_NODE, engine];
      execFileSync("bash", ["-c", '"$@" | head -n 1', "bash", ...command], {
        cwd: __dirname,
        env: { ...process.env, PLUGIN_FILE: plugin },
        stdio: "ignore",
      });
      pid = Number(readFileSync(plugin, "utf8"));
      assert.ok(pid > 0);
      for (let i = 0; isPidAlive(pid) && i < 1_000; i++) await sleep(100);
      assert.equal(isPidAlive(pid), false);
    } finally {
      if (pid > 0 && isPidAlive(pid)) process.kill(pid);
      rmSync(folder, { recursive: true });
    }
  });
});
