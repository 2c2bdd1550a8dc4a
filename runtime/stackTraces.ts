import { findSourceMap } from "node:module";
import { fileURLToPath } from "node:url";
import { install } from "source-map-support";

/**
 * Maps stack traces of the program back to TypeScript, and makes a run about a third shorter.
 *
 * The Pulumi SDK takes a stack trace of every resource and every promise, to report where one was made if it never settles, and
 * each of them would be mapped, line by line. These errors have no message, and nobody reads their traces unless promise leaks
 * are being looked for. Every other error has its mapped trace.
 */
install({
  // Nobody else's maps: the SDK's call its sources node_modules/@pulumi/resource.ts, and with such a line in a trace Node's
  // util.inspect, by which the SDK reports errors, turns in a circle until gigabytes are full: half a minute for each mistake.
  overrideRetrieveSourceMap: true,
  // And forget those that have been read by now.
  emptyCacheBetweenOperations: true,
  // The SDK maps traces by what it finds in the files on disk; tsx hands its maps to Node.
  retrieveSourceMap: (file) => {
    const map = file.includes("/node_modules/") ? undefined : findSourceMap(file)?.payload;
    if (map === undefined) return null;
    const sources = map.sources.map((source) =>
      source.startsWith("file:") ? fileURLToPath(source) : source,
    );
    return { url: file, map: JSON.stringify({ ...map, sources }) };
  },
});

if (!process.env["PULUMI_DEBUG_PROMISE_LEAKS"]) {
  // source-map-support has just put its own here.
  const mapped = Error.prepareStackTrace.bind(Error) as (
    error: Error,
    frames: NodeJS.CallSite[],
  ) => unknown;
  Error.prepareStackTrace = (error, frames) =>
    error.message === "" && error.name === "Error" ? "Error" : mapped(error, frames);
}
