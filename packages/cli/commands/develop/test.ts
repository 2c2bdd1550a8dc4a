import { existsSync, readdirSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Argument } from "commander";
import { ExitCode } from "@store/docker/cliError";
import { messageOf } from "@store/docker/messageOf";
import type * as emulatorImages from "@store/azure-emulator/images";
import { ensureEngine } from "@store/toolchain/engine/engine";
import { Docker } from "@store/docker/docker";
import { ensureBaseImages } from "@store/toolchain/images/baseImages";
import { ensureChromium } from "@store/toolchain/tools/chromium";
import { ensureDocker } from "@store/toolchain/tools/docker";
import type * as pebble from "../../../../test/support/pebble/pebble";
import { baseImageNames, configText, findStack, readProject, ROOT } from "../../project/project";
import { DEFAULT_STACK } from "../../project/storeCommand";
import { OrderedOutput } from "../../terminal/orderedOutput";
import { colors, Reporter, reporter } from "../../terminal/terminal";
import { Counts, runMocha, summary, tierCounts } from "../../testing/mocha";
import { runQueue } from "../../testing/runQueue";
import { defineCommand } from "../command";

interface Tier {
  readonly name: string;
  /** Returns patterns of test files. Each pattern runs in a mocha process of its own. */
  readonly parts: () => readonly string[];
  /** Runs only if it is named, because it takes too long. Defaults to false. */
  readonly onDemand?: boolean;
  /** Mostly waits, or runs one process at a time, so that it fits beside parts that use a core each. Defaults to false. */
  readonly light?: boolean;
  /** Setup steps, in order. Tiers share them. */
  readonly requires: readonly ((report: Reporter) => Promise<unknown>)[];
}

/** The tiers in the order in which they start: the longest first, so that no long part is left at the end. */
const TIERS: readonly Tier[] = [
  {
    name: "rehearsal",
    parts: () => testFiles("test/staging"),
    requires: [setUpDocker, ensureEngine, prebuildPebble, prebuildEmulator],
    light: true,
  },
  {
    name: "integration",
    parts: () => testFiles("test/integration"),
    requires: [setUpDocker, ensureEngine, prebuildPebble],
  },
  {
    name: "saga",
    parts: () => ["test/saga/**/*.test.ts"],
    requires: [setUpDocker],
  },
  {
    name: "browser",
    parts: () => ["test/browser/**/*.test.ts"],
    requires: [setUpDocker, setUpChromium],
  },
  {
    name: "services",
    parts: () =>
      [...listFolder("packages"), ...listFolder("services")]
        .map((folder) => `${folder}/test`)
        .filter((folder) => existsSync(join(ROOT, folder)))
        .concat("test/services")
        .map((folder) => `${folder}/**/*.test.ts`),
    requires: [setUpDocker],
    light: true,
  },
  {
    name: "unit",
    parts: () => [
      ...listFolder("test/unit")
        .filter(isFolder)
        .map((folder) => `${folder}/**/*.test.ts`),
      "test/unit/*.test.ts",
    ],
    requires: [],
    light: true,
  },
  {
    name: "swarm",
    parts: () => ["test/swarm/*.test.ts"],
    onDemand: true,
    requires: [setUpDocker, ensureEngine, prebuildPebble, prebuildEmulator],
  },
  {
    name: "vm-images",
    parts: () => ["test/vmImages/*.test.ts"],
    onDemand: true,
    requires: [setUpDocker, ensureEngine, prebuildPebble, prebuildEmulator],
  },
  {
    name: "docker-versions",
    parts: () => ["test/dockerVersions/*.test.ts"],
    onDemand: true,
    requires: [setUpDocker, ensureEngine],
  },
];

/** Numbers of parts that run at the same time. A part that isn't light starts many processes: with 3 of them, two cores have a load of 15. */
const HEAVY = Math.max(2, availableParallelism());
const LIMITS = { all: HEAVY + 1, heavy: HEAVY };

interface TestOptions {
  /** Name of a tier. Defaults to all. */
  readonly tier?: string;
  /** Further options of mocha. */
  readonly mocha: readonly string[];
}

export const test = defineCommand<object, TestOptions>({
  name: "test",
  summary: "run the tests; the last line of the output has the counts",
  arguments: [
    new Argument(
      "[tier]",
      "a tier (default: all but swarm, vm-images and docker-versions)",
    ).choices(TIERS.map(({ name }) => name)),
  ],
  examples: ["./store test", "./store test unit -- --grep config"],
  parse: ({ args: [tier], rest }) => ({ tier, mocha: rest }),
  run,
});

async function run({ tier: name, mocha }: TestOptions): Promise<ExitCode> {
  const tiers = selectTiers(name);
  for (const setUp of new Set(tiers.flatMap((tier) => tier.requires))) await setUp(reporter());
  const interrupt = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => interrupt.abort());
  }
  const results = await runTiers(tiers, mocha, interrupt.signal);
  if (interrupt.signal.aborted) {
    process.stdout.write("\nThe tests were interrupted.\n");
    return ExitCode.Interrupted;
  }
  process.stdout.write(`${summary(results)}\n`);
  return results.every(({ failed }) => failed === 0) ? ExitCode.Ok : ExitCode.Failed;
}

/** Returns the named tier. Without a name, returns all but those that run on demand. */
export function selectTiers(name?: string): Tier[] {
  return TIERS.filter((tier) => (name === undefined ? tier.onDemand !== true : tier.name === name));
}

/** Runs the parts of all tiers from one queue, so that the tiers overlap. The output has the order of the queue. */
async function runTiers(
  tiers: readonly Tier[],
  mochaArgs: readonly string[],
  interrupted: AbortSignal,
): Promise<(Counts & { readonly tier: string })[]> {
  const output = new OrderedOutput(process.stdout);
  const counts = new Map(tiers.map((tier) => [tier, [] as Counts[]]));
  const queue = tiers.flatMap((tier) => {
    output.section().end(`\n${colors.bold(`${tier.name} tests`)}\n`);
    return tier.parts().map((files) => ({
      tier,
      light: tier.light ?? false,
      files,
      section: output.section(),
    }));
  });
  await runQueue(queue, LIMITS, async ({ tier, files, section }) => {
    if (!interrupted.aborted) {
      counts.get(tier)?.push(await runMocha(files, mochaArgs, section, interrupted));
    }
    section.end();
  });
  return tiers.map((tier) => ({ tier: tier.name, ...tierCounts(counts.get(tier) ?? []) }));
}

/** Lists the test files of a folder and its subfolders. */
function testFiles(folder: string): string[] {
  return listFolder(folder).flatMap((path) => {
    if (isFolder(path)) return testFiles(path);
    return path.endsWith(".test.ts") ? [path] : [];
  });
}

function isFolder(path: string): boolean {
  return statSync(join(ROOT, path)).isDirectory();
}

/** Lists a folder in alphabetical order. */
function listFolder(folder: string): string[] {
  return readdirSync(join(ROOT, folder))
    .map((name) => `${folder}/${name}`)
    .sort();
}

async function setUpDocker(report: Reporter): Promise<void> {
  const project = readProject();
  const docker = await ensureDocker(report);
  const stack = findStack(project, DEFAULT_STACK);
  // The stack itself orders no certificate, but tests do.
  const lego = configText(project, stack, "legoImage");
  const images = { ...baseImageNames(project, stack), lego };
  await ensureBaseImages(images, new Docker(docker), report);
}

/** Builds Pebble now, because it would take a part of a test's time limit. */
function prebuildPebble(report: Reporter): Promise<void> {
  return prebuild(() => lazy.pebble().pebbleBinary(report), report);
}

/** Builds the images of the Azure emulator now, for the same reason. */
function prebuildEmulator(report: Reporter): Promise<void> {
  return prebuild(async () => {
    const { ensureMachineImage, ensureRegistryImage } = lazy.emulatorImages();
    const { host } = await ensureDocker(report);
    await ensureMachineImage("bookworm", host, report);
    await ensureRegistryImage(host, report);
  }, report);
}

// Loaded on first use: they would slow down `./store --help`.
/* eslint-disable @typescript-eslint/no-require-imports */
const lazy = {
  pebble: () => require("../../../../test/support/pebble/pebble") as typeof pebble,
  emulatorImages: () => require("@store/azure-emulator/images") as typeof emulatorImages,
};
/* eslint-enable @typescript-eslint/no-require-imports */

/** Prepares what a few tests need. If it can't be built, those tests fail, and all others run. */
async function prebuild(build: () => Promise<unknown>, report: Reporter): Promise<void> {
  try {
    await build();
  } catch (error) {
    report.note(messageOf(error));
  }
}

async function setUpChromium(report: Reporter): Promise<void> {
  process.env.CHROME_PATH = await ensureChromium(report);
}
