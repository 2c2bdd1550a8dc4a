import { aptInstall, distribution, findAsRoot, usesApt } from "../system/apt";
import { CliError } from "@store/docker/cliError";
import { type Reporter } from "../system/report";
import { findOnPath } from "../system/run";

/**
 * The program wrk, which the benches load a server with: one on PATH; else, on Debian and Ubuntu as root, the distribution's package,
 * which it installs after saying so. A load generator in Node.js would take a core from what it measures.
 *
 * @throws CliError that says what to install, where there is none and installing isn't ours to do.
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
