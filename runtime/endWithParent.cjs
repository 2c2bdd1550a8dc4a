// Ends this process when its parent is gone: the language host for the program, the engine for the policy pack. README.md
// in this folder has the upstream issues.
"use strict";

const { Worker } = require("node:worker_threads");

/** A process whose parent has ended gets another one. */
const WATCH = `
  const { workerData: parent } = require("node:worker_threads");
  setInterval(() => process.ppid !== parent && process.kill(process.pid, "SIGKILL"), 500);
`;

/**
 * Kills this process within a second after its parent has ended. A thread of its own does so even while the process is busy: once
 * its output pipes are broken, the SDK's handler of uncaught errors can fail and be called again without end, so that no timer runs.
 */
function endWithParent() {
  // Without the options of this process, which would load files into the thread (NODE_OPTIONS=--require).
  new Worker(WATCH, { eval: true, workerData: process.ppid, execArgv: [], env: {} }).unref();
}

module.exports = { endWithParent };
