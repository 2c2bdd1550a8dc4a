import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { repositoryRoot } from "./support/index.ts";

describe("the log", () => {
  it("buffers info lines for a short time", () => {
    const quick = log('log.info("a"); log.info("b"); process.kill(process.pid, "SIGKILL");');
    assert.deepEqual(quick, []);
    const later = log(
      'log.info("a"); log.info("b"); setTimeout(() => process.kill(process.pid, "SIGKILL"), 500);',
    );
    assert.deepEqual(later, ["a", "b"]);
  });

  it("writes a warning at once, after the lines before it", () => {
    const lines = log('log.info("a"); log.warn("b"); process.kill(process.pid, "SIGKILL");');
    assert.deepEqual(lines, ["a", "b"]);
  });

  it("writes the buffered lines when the process ends", () => {
    assert.deepEqual(log('log.info("a"); process.exit(0);'), ["a"]);
    assert.deepEqual(log('log.info("a"); log.info("b");'), ["a", "b"]);
    assert.deepEqual(log('log.info("a"); throw new Error("out of the blue");'), ["a"]);
  });

  it("writes 20,000 lines without losing one", () => {
    const lines = log("for (let i = 0; i < 20_000; i++) log.info(String(i));");
    assert.equal(lines.length, 20_000);
    assert.equal(lines.at(-1), "19999");
  });

  /** Returns the messages logged by a process that runs the source and has ended. */
  function log(source: string): string[] {
    const logging = join(repositoryRoot, "packages/kit/src/telemetry/logging.ts");
    const script = `import { createLogger } from ${JSON.stringify(logging)};
      const log = createLogger("sample", "info");
      ${source}`;
    const { stdout } = spawnSync(
      process.execPath,
      ["--import", "tsx", "--input-type=module", "--eval", script],
      { cwd: repositoryRoot, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 },
    );
    return stdout
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => (JSON.parse(line) as { readonly msg: string }).msg);
  }
});
