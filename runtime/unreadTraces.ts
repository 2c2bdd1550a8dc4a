/**
 * Skips the source mapping of traces that nobody reads. Call it after the mapping is installed.
 *
 * The SDK records a stack trace for each resource and promise, to report promises that never settle. These errors have no
 * message. Their traces are read only with PULUMI_DEBUG_PROMISE_LEAKS.
 */
export function skipUnreadTraces(): void {
  if (process.env["PULUMI_DEBUG_PROMISE_LEAKS"]) return;
  const mapTrace = Error.prepareStackTrace.bind(Error) as (
    error: Error,
    frames: NodeJS.CallSite[],
  ) => unknown;
  Error.prepareStackTrace = (error, frames) =>
    error.message === "" && error.name === "Error" ? "Error" : mapTrace(error, frames);
}
