import { findSourceMap } from "node:module";
import { fileURLToPath } from "node:url";
import { install } from "source-map-support";
import { skipUnreadTraces } from "./unreadTraces";

/**
 * Maps stack traces of the program to its TypeScript sources, and skips the mapping where nobody reads the trace. README.md in
 * this folder has the reasons and figures.
 */
install({
  // Discards the SDK's source maps. They name sources such as node_modules/@pulumi/resource.ts, and util.inspect, with which
  // the SDK prints errors, hangs on such a line until the memory is full: https://github.com/nodejs/node/issues/64011
  overrideRetrieveSourceMap: true,
  // Also discards the maps that have been read already.
  emptyCacheBetweenOperations: true,
  // source-map-support reads source maps from files; tsx passes its maps to Node.
  retrieveSourceMap: (file) => {
    const map = file.includes("/node_modules/") ? undefined : findSourceMap(file)?.payload;
    if (map === undefined) return null;
    const sources = map.sources.map((source) =>
      source.startsWith("file:") ? fileURLToPath(source) : source,
    );
    return { url: file, map: JSON.stringify({ ...map, sources }) };
  },
});

skipUnreadTraces();
