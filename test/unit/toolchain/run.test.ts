import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { run } from "@store/toolchain/system/run";

describe("run", () => {
  it("ends the command after the timeout", async () => {
    const { code } = await run("sleep", ["20"], { timeoutMs: 100 });
    assert.equal(code, null);
  });

  it("doesn't keep the process alive if the command doesn't exist", () => {
    const root = resolve(__dirname, "../../..");
    const script = `require("ts-node/register/transpile-only");
      const { run } = require(${JSON.stringify(join(root, "packages/toolchain/system/run"))});
      run("/nowhere/program", [], { timeoutMs: 100_000 }).then(({ stderr }) => console.log(stderr));`;
    const started = performance.now();
    const { stdout } = spawnSync(process.execPath, ["--eval", script], {
      cwd: root,
      encoding: "utf8",
    });
    assert.match(stdout, /ENOENT/);
    assert.ok(performance.now() - started < 90_000, "the timeout keeps the process alive");
  });
});
