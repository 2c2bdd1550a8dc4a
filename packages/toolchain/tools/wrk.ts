import { aptInstall, distribution, findAsRoot, usesApt } from "../system/apt";
import { CliError } from "@store/docker/cliError";
import { type Reporter } from "../system/report";
import { findOnPath } from "../system/run";

/**
 * Returns the executable of wrk, the load generator of the benchmarks: one on PATH, or, on Debian and Ubuntu as root, the
 * distribution's package, which it installs. A load generator in Node.js would take a CPU core from the measured server.
 *
 * @throws CliError with instructions if there is none and it can't be installed.
 * @see https://github.com/wg/wrk
 */
export async function ensureWrk(report: Reporter): Promise<string> {
  const found = findOnPath("wrk");
  if (found !== undefined) return found;
  const asRoot = await findAsRoot();
  if (!usesApt(distribution()) || asRoot === undefined) throw new CliError(NONE, { hint: BY_HAND });
  report.step("The bench needs wrk: installing the distribution's package");
  await aptInstall(asRoot, ["wrk"], report, BY_HAND);
  const installed = findOnPath("wrk");
  if (installed === undefined) throw new CliError(NONE, { hint: BY_HAND });
  return installed;
}

const NONE = "The bench needs wrk, and there is none on PATH.";
const BY_HAND = "Install it: `sudo apt-get install wrk`, `brew install wrk`.";
