/**
 * Makes a run of the program about a third shorter.
 *
 * The Pulumi SDK takes a stack trace of every resource and every promise, to report where one was made if it never settles, and
 * ts-node maps each of them back to TypeScript, line by line. These errors have no message, and nobody reads their traces
 * unless promise leaks are being looked for. Every other error keeps its mapped trace.
 */
if (!process.env["PULUMI_DEBUG_PROMISE_LEAKS"]) {
  // ts-node has put its own here; the types don't know that there may be none.
  const mapped = Error.prepareStackTrace.bind(Error) as (
    error: Error,
    frames: NodeJS.CallSite[],
  ) => unknown;
  Error.prepareStackTrace = (error, frames) =>
    error.message === "" && error.name === "Error" ? "Error" : mapped(error, frames);
}
