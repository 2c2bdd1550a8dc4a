// Mocha's usual report for people, and for the command that started it: `stats` and what failed, in the file that the
// reporter option `countsFile` names; `colors` says that people read it on a terminal. Plain JavaScript, so that every tier can load it, however its tests are compiled.
"use strict";

const { writeFileSync } = require("node:fs");
const Mocha = require("mocha");

module.exports = class Counting extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    // Mocha by itself would also colour what isn't a terminal, where CI is set.
    Mocha.reporters.Base.useColors =
      options.reporterOptions.colors !== undefined && !process.env.NO_COLOR;
    const failures = [];
    runner.on(Mocha.Runner.constants.EVENT_TEST_FAIL, (test, error) => {
      failures.push({ title: test.titlePath().join(" › "), error: textOf(error) });
    });
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures: failed, pending } = this.stats;
      writeFileSync(
        options.reporterOptions.countsFile,
        JSON.stringify({ passed: passes, failed, pending, failures }),
      );
      endAnyhow(failed, Number(options.reporterOptions.graceMs ?? GRACE_MS));
    });
  }
};

/** A test that fails may leave a process running that would keep mocha waiting for ever. */
function endAnyhow(failed, graceMs) {
  setTimeout(() => {
    console.log("The tests have ended, and something that they started still runs: it is ended.");
    // The last word: mocha says at the exit how many tests have failed, which may be none.
    process.once("exit", () => (process.exitCode = failed > 0 ? Math.min(failed, 255) : 1));
    process.exit();
  }, graceMs).unref();
}

const GRACE_MS = 20_000;

/** What a thrown thing says, and then where it was thrown. */
function textOf(error) {
  return error instanceof Error || typeof error?.message === "string"
    ? String(error.stack || error.message)
    : String(error);
}
