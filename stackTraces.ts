/**
 * Makes a run of the program about a third shorter.
 *
 * The Pulumi SDK takes a stack trace of every resource and every promise, to report where one was made if it never settles, and
 * ts-node maps each of them back to TypeScript, line by line. These errors have no message, and nobody reads their traces
 * unless promise leaks are being looked for. Every other error keeps its mapped trace.
 */
const mapped: ((error: Error, frames: NodeJS.CallSite[]) => unknown) | undefined =
  Error.prepareStackTrace?.bind(Error);

if (mapped !== undefined && !process.env["PULUMI_DEBUG_PROMISE_LEAKS"]) {
  Error.prepareStackTrace = (error, frames) =>
    error.message === "" && error.name === "Error" ? "Error" : mapped(error, frames);
}
