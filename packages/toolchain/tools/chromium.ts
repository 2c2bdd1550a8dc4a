import { existsSync } from "node:fs";
import { aptInstall, distribution, findAsRoot, usesApt, type AsRoot } from "../system/apt";
import { cacheFolder } from "../system/cache";
import { withLock } from "../system/lock";
import { CliError } from "@store/docker/cliError";
import { type Reporter } from "../system/report";
import { findAllOnPath, lastLines, run } from "../system/run";

/**
 * Returns the executable of a Chromium for the browser tests: CHROME_PATH, or one on PATH. Otherwise installs the distribution's
 * package, on Debian and Ubuntu as root.
 *
 * @throws CliError with instructions if there is none and it can't be installed.
 */
export async function ensureChromium(report: Reporter): Promise<string> {
  const chosen = process.env.CHROME_PATH;
  if (chosen !== undefined && chosen !== "") return usable(chosen);

  const found = await findChromium();
  if (found !== undefined) return found;
  const plan = planChromium({ distribution: distribution(), asRoot: await findAsRoot() });
  if (plan.action === "tell") throw new CliError(NONE, { hint: plan.remedy });
  return withLock(
    cacheFolder(),
    "chromium",
    (pid) => report.step(`Waiting for process ${pid}, which is installing Chromium`),
    async () => {
      const now = await findChromium();
      if (now !== undefined) return now;
      report.step("The browser tests need Chromium: installing the distribution's package");
      await aptInstall(plan.asRoot, plan.packages, report, BY_HAND);
      const installed = await findChromium();
      // Ubuntu's package only installs a snap, which doesn't run everywhere.
      if (installed === undefined) {
        throw new CliError("The distribution's package brought no Chromium that runs.", {
          hint: BY_HAND,
        });
      }
      return installed;
    },
  );
}

export type ChromiumPlan =
  | { readonly action: "install"; readonly asRoot: AsRoot; readonly packages: string[] }
  | { readonly action: "tell"; readonly remedy: string };

export function planChromium(facts: {
  readonly distribution: readonly string[];
  readonly asRoot: AsRoot | undefined;
}): ChromiumPlan {
  if (!usesApt(facts.distribution)) return { action: "tell", remedy: BY_HAND };
  // Ubuntu has no package of the headless shell.
  const chromium = facts.distribution.includes("ubuntu") ? "chromium" : HEADLESS_SHELL;
  const packages = [chromium, ...FONTS];
  if (facts.asRoot === undefined) {
    return { action: "tell", remedy: `Run \`sudo apt-get install ${packages.join(" ")}\`.` };
  }
  return { action: "install", asRoot: facts.asRoot, packages };
}

/** Debian's package, and the program, of a Chromium without a window. It takes a third of the CPU time of the whole browser. */
const HEADLESS_SHELL = "chromium-headless-shell";
/** Common fonts, without which screenshots differ from what users see. */
const FONTS = ["fonts-inter", "fonts-urw-base35"];
const NONE = "The browser tests need Chromium or Chrome, and none that runs is on PATH.";
const BY_HAND =
  "Install Chrome or Chromium (https://www.google.com/chrome), and set CHROME_PATH to its executable if it isn't on PATH.";

const NAMES = [
  HEADLESS_SHELL,
  ...["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
];
/** Executables on macOS, where applications aren't on PATH. */
const APPLICATIONS = ["Google Chrome", "Chromium"].map(
  (name) => `/Applications/${name}.app/Contents/MacOS/${name}`,
);

async function findChromium(): Promise<string | undefined> {
  for (const file of [
    ...NAMES.flatMap((name) => findAllOnPath(name)),
    ...APPLICATIONS.filter((path) => existsSync(path)),
  ]) {
    if ((await problemOf(file)) === undefined) return file;
  }
  return undefined;
}

async function usable(file: string): Promise<string> {
  const problem = await problemOf(file);
  if (problem === undefined) return file;
  throw new CliError(`CHROME_PATH is ${file}, which doesn't run:\n${problem}`, {
    hint: "Set it to the executable of a Chrome or Chromium, or unset it.",
  });
}

/** Returns why the executable can't be used; undefined if it prints its version. */
async function problemOf(file: string): Promise<string | undefined> {
  const { code, stdout, stderr } = await run(file, ["--version"], { timeoutMs: 20_000 });
  return code === 0 && /Chrom/.test(stdout)
    ? undefined
    : lastLines(stderr || stdout) || "    it doesn't say its version";
}
