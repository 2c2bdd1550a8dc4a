import { mkdirSync, rmSync, statfsSync } from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

import { cacheFolder, filesBelow, folderExists, keyOf, makeFolder } from "../system/cache";
import { withLock } from "../system/lock";
import { engineVersion, goSources, plugins } from "./pins";
import { CliError } from "@store/docker/cliError";
import { type Reporter } from "../system/report";
import { run } from "../system/run";
import { buildError } from "./goBuildError";

/** The engine built on this machine, with its providers, in one folder. */
export interface Toolchain {
  folder: string;
  /** Folder with `pulumi` and the language host. */
  bin: string;
  /** PULUMI_HOME with the provider plugins. */
  home: string;
  ready: boolean;
}

/** Returns the toolchain for this repository's Go sources, which may not be built yet. */
export function toolchain(): Toolchain {
  const folder = path.join(cacheFolder(), `engine-${toolchainKey()}`);
  return {
    folder,
    bin: path.join(folder, "bin"),
    home: path.join(folder, "home"),
    ready: folderExists(folder),
  };
}

/** Returns a hash over everything that determines the build's result. */
export function toolchainKey(
  sources: Record<string, string | Buffer> = filesBelow(goSources, isBuilt),
  platform = `${process.platform}-${process.arch}`,
): string {
  const pins = JSON.stringify({
    engine: engineVersion(),
    plugins,
    flags: BUILD_FLAGS,
    linked: binaries("").map(({ version }) => version),
  });
  return keyOf({ ...sources, "(pins)": pins, "(platform)": platform });
}

/** Builds the engine and its providers under a lock, if the folder doesn't exist. */
export async function buildToolchain(target: Toolchain, report: Reporter): Promise<void> {
  await withLock(
    cacheFolder(),
    "engine",
    (pid) => report.step(`Waiting for process ${pid}, which is building the engine`),
    async () => {
      // The previous holder of the lock may have built it.
      if (folderExists(target.folder)) return;
      checkDiskSpace();
      await makeFolder(target.folder, async (folder) => {
        const all = binaries(folder);
        // GOTMPDIR within this folder, which is removed on failure: a killed go leaves gigabytes behind.
        const temporary = path.join(folder, "tmp");
        mkdirSync(temporary);
        for (const [index, binary] of all.entries()) {
          await build(binary, temporary, `${index + 1} of ${all.length}`, report);
        }
        rmSync(temporary, { recursive: true });
      });
      report.note(`The engine is built: ${target.folder}`);
    },
  );
}

interface Binary {
  title: string;
  /** Folder in packages/toolchain/go. */
  module: string;
  package: string;
  output: string;
  /** Variable that the linker sets, and its value. */
  version?: [variable: string, version: string];
  tags: string[];
  /** Measured build time without caches, in minutes of one core, for the progress display. */
  coreMinutes: number;
}

function binaries(folder: string): Binary[] {
  return [
    {
      title: `Pulumi engine ${engineVersion()}`,
      module: "engine",
      package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
      output: path.join(folder, "bin", "pulumi"),
      version: ["github.com/pulumi/pulumi/sdk/v3/go/common/version.Version", `v${engineVersion()}`],
      tags: [],
      coreMinutes: 8,
    },
    {
      title: "language host for Node.js",
      module: "language-nodejs",
      package: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
      output: path.join(folder, "bin", "pulumi-language-nodejs"),
      tags: [],
      coreMinutes: 1.5,
    },
    ...plugins.map((plugin) => ({
      title: `${plugin.name} provider ${plugin.version}${plugin.stub ? " (stub)" : ""}`,
      module: plugin.module,
      package: plugin.package,
      output: path.join(
        folder,
        "home",
        "plugins",
        `resource-${plugin.name}-v${plugin.version}`,
        `pulumi-resource-${plugin.name}`,
      ),
      version: ["main.version", plugin.version] satisfies Binary["version"],
      tags: plugin.tags,
      coreMinutes: plugin.stub ? 1 : 4.5,
    })),
  ];
}

/** Flags and environment that make the build independent of the user's GOFLAGS and go.work. */
const BUILD_FLAGS = ["-mod=readonly", "-trimpath", "-buildvcs=false"];
const BUILD_ENV = {
  GOWORK: "off",
  GOFLAGS: "",
  // Like the published binaries; needs no C compiler.
  CGO_ENABLED: "0",
};

async function build(
  binary: Binary,
  temporary: string,
  position: string,
  report: Reporter,
): Promise<void> {
  const env = { ...BUILD_ENV, GOTMPDIR: temporary };
  const cwd = path.join(goSources, binary.module);
  const jobs = parallelJobs();
  report.step(`Building the ${binary.title} from Go modules (${position})`);
  const progress = trackProgress(binary, jobs, report);
  try {
    // List the packages first: this downloads the modules, and the number of packages is the total of the progress display.
    const deps = ["list", "-deps", "-mod=readonly", ...tagFlags(binary), binary.package];
    const list = await run("go", deps, { cwd, env, onLine: progress.line });
    if (list.code !== 0) throw buildError(binary, list.stderr);
    progress.compiling(list.stdout.trim().split("\n").length);

    mkdirSync(path.dirname(binary.output), { recursive: true });
    const ldflags = ["-s", "-w", ...(binary.version ? [`-X ${binary.version.join("=")}`] : [])];
    const { code, stderr } = await run(
      "go",
      [
        "build",
        "-v",
        "-p",
        String(jobs),
        ...BUILD_FLAGS,
        ...tagFlags(binary),
        `-ldflags=${ldflags.join(" ")}`,
        "-o",
        binary.output,
        binary.package,
      ],
      { cwd, env, onLine: progress.line },
    );
    if (code !== 0) throw buildError(binary, stderr);
  } finally {
    progress.stop();
  }
}

function tagFlags(binary: Binary): string[] {
  return binary.tags.length > 0 ? [`-tags=${binary.tags.join(",")}`] : [];
}

/** Limits parallel compilers by memory: each takes up to 1 GB on these sources. */
function parallelJobs(): number {
  const byMemory = Math.floor(os.freemem() / 2 ** 30);
  return Math.max(1, Math.min(os.availableParallelism(), byMemory));
}

function trackProgress(
  binary: Binary,
  jobs: number,
  report: Reporter,
): { line: (line: string) => void; compiling: (packages: number) => void; stop: () => void } {
  const startedAt = Date.now();
  const minutes = Math.max(1, Math.round(binary.coreMinutes / jobs));
  let downloaded = 0;
  let compiled = 0;
  let packages: number | undefined;
  const timer = setInterval(() => {
    const what =
      packages === undefined
        ? `${downloaded} modules downloaded`
        : `${compiled} packages compiled, ${packages} at most`;
    report.progress(`${elapsed(Date.now() - startedAt)} of about ${minutes} min: ${what}`);
  }, 1_000);
  return {
    line: (line) => {
      if (line.startsWith("go: downloading")) downloaded++;
      else if (packages !== undefined && !line.startsWith("go:")) compiled++;
    },
    compiling: (count) => (packages = count),
    stop: () => clearInterval(timer),
  };
}

/** Formats a duration as minutes:seconds. */
export function elapsed(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** Measured size of Go's module and build caches and the result. */
const NEEDED_BYTES = 6 * 2 ** 30;

function checkDiskSpace(): void {
  const { bavail, bsize } = statfsSync(cacheFolder());
  if (bavail * bsize < NEEDED_BYTES) {
    throw new CliError(
      `Building the engine takes about ${NEEDED_BYTES / 2 ** 30} GiB of disk, Go's caches included, and ` +
        `${cacheFolder()} has ${((bavail * bsize) / 2 ** 30).toFixed(1)} GiB left.`,
      {
        hint: "Free some space, or set XDG_CACHE_HOME to a folder on a larger disk. Then run this again.",
      },
    );
  }
}

/** Returns whether a file in packages/toolchain/go is an input of the build. */
function isBuilt(file: string): boolean {
  return /(?<!_test)\.go$|\/go\.(?:mod|sum)$/.test(file);
}
