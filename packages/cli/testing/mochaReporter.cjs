// Mocha reporter: prints the usual `spec` report and writes the counts and failures as JSON to the file of the reporter option
// `countsFile`. The option `colors` turns colors on. Plain JavaScript, because the tiers compile their tests in different ways.
"use strict";

const { writeFileSync } = require("node:fs");
const Mocha = require("mocha");

module.exports = class CountingReporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    // Mocha's own default also prints colors to a file or pipe when CI is set.
    Mocha.reporters.Base.useColors =
      options.reporterOptions.colors !== undefined && !process.env.NO_COLOR;
    const failures = [];
    runner.on(Mocha.Runner.constants.EVENT_TEST_FAIL, (test, error) => {
      failures.push({ title: test.titlePath().join(" › "), error: errorText(error) });
    });
    runner.once(Mocha.Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures: failed, pending } = this.stats;
      writeFileSync(
        options.reporterOptions.countsFile,
        JSON.stringify({ passed: passes, failed, pending, failures }),
      );
      exitAfterGracePeriod(failed, Number(options.reporterOptions.graceMs ?? GRACE_MS));
    });
  }
};

/** Ends mocha although something still runs: a process left behind by a failed test would block mocha forever. */
function exitAfterGracePeriod(failed, graceMs) {
  setTimeout(() => {
    console.log("The tests have finished, but something they started is still running. Ending it.");
    // Set the exit code in an exit listener: mocha sets it to the number of failures on exit, which may be 0.
    process.once("exit", () => (process.exitCode = failed > 0 ? Math.min(failed, 255) : 1));
    process.exit();
  }, graceMs).unref();
}

const GRACE_MS = 20_000;

/** Returns the message and the stack of a thrown value and of its causes. */
function errorText(error) {
  const text =
    error instanceof Error || typeof error?.message === "string"
      ? String(error.stack || error.message)
      : String(error);
  return error?.cause === undefined ? text : `${text}\nCaused by: ${errorText(error.cause)}`;
}
