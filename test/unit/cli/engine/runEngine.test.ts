import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
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

const RUN = `const { runEngine } = require("@store/cli/engine/runEngine");
  runEngine({ pulumi: process.argv[1], args: [], cwd: ".", env: process.env, eventLog: "/nowhere" })
    .then(({ exitCode }) => process.stderr.write("exit code " + exitCode));`;

describe("runEngine", () => {
  it("ends the plugins of an engine that `head` has killed by closing its output", async function () {
    if (process.platform !== "linux") this.skip();
    this.timeout("60s");
    const folder = mkdtempSync(join(tmpdir(), "store-engine-"));
    const [engine, plugin] = [join(folder, "pulumi"), join(folder, "plugin")];
    let pid = 0;
    try {
      writeFileSync(engine, ENGINE, { mode: 0o755 });
      const node = [process.execPath, "--require", "ts-node/register/transpile-only", "-e", RUN];
      execFileSync("bash", ["-c", '"$@" | head -n 1', "bash", ...node, engine], {
        cwd: __dirname,
        env: { ...process.env, PLUGIN_FILE: plugin },
        stdio: "ignore",
      });
      pid = Number(readFileSync(plugin, "utf8"));
      assert.ok(pid > 0);
      for (let i = 0; isPidAlive(pid) && i < 100; i++) await sleep(100);
      assert.equal(isPidAlive(pid), false);
    } finally {
      if (pid > 0 && isPidAlive(pid)) process.kill(pid);
      rmSync(folder, { recursive: true });
    }
  });
});
