import { type GoFound } from "./go";
import { engineVersion } from "./pins";

/**
 * path: the user's own, on PATH. npm: downloaded by the npm package `pulumi`. toolchain: built from Go modules on this machine, with
 * its own providers.
 */
export type EngineSource = "path" | "npm" | "toolchain";

export interface EngineFacts {
  /** A usable engine is on PATH. */
  onPath: boolean;
  /** The npm package has downloaded its engine. */
  npmReady: boolean;
  /** An engine built from these sources exists. */
  toolchainReady: boolean;
  /** "unusable": it doesn't answer, or doesn't serve the engine. "failed": it does, but the download failed. */
  downloadSite: "not asked" | "reachable" | "unusable" | "failed";
  go: GoFound;
}

export type EngineChoice =
  { how: EngineSource; ready: boolean } | { how: "none"; problem: string; remedy: string };

/**
 * Chooses the engine. One that is ready has priority over a download, so that an `up` without changes needs no network. Published
 * engines have priority over the built one, which is a fallback.
 */
export function chooseEngine(facts: EngineFacts): EngineChoice {
  if (facts.onPath) return { how: "path", ready: true };
  if (facts.npmReady) return { how: "npm", ready: true };
  if (facts.toolchainReady) return { how: "toolchain", ready: true };
  if (facts.downloadSite === "reachable") return { how: "npm", ready: false };
  if (facts.go.usable) return { how: "toolchain", ready: false };
  const isFailed = facts.downloadSite === "failed";
  return {
    how: "none",
    problem:
      `No usable Pulumi engine is installed, its download ${isFailed ? "failed" : "site can't be used"}, ` +
      `and it can't be built: ${facts.go.problem}.`,
    remedy:
      `Install Go ${facts.go.required} or newer, to build the engine from Go modules; or install Pulumi ${engineVersion()} ` +
      "or newer (https://www.pulumi.com/docs/install); " +
      `or ${isFailed ? "fix the cause of the failed download" : "allow access to Pulumi's download site"}. Then run this again.`,
  };
}
