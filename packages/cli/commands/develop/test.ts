import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Argument } from "commander";
import { ExitCode } from "@store/docker/cliError";
import { ensureEngine } from "@store/toolchain/engine/engine";
import { Docker } from "@store/docker/docker";
import { ensureBaseImages } from "@store/toolchain/images/baseImages";
import { ensureChromium } from "@store/toolchain/tools/chromium";
import { ensureDocker } from "@store/toolchain/tools/docker";
import { baseImageNames, DEFAULT_STACK, findStack, readProject, ROOT } from "../../project/project";
import { OrderedOutput } from "../../terminal/orderedOutput";
import { colors, Reporter, reporter } from "../../terminal/terminal";
import { Counts, runMocha, summary, tierCounts } from "../../testing/mocha";
import { defineCommand } from "../command";

interface Tier {
  readonly name: string;
  /** Returns patterns of test files. Each pattern runs in a mocha process of its own. */
  readonly parts: () => readonly string[];
  /** Number of parts that run at the same time. Defaults to 1. */
  readonly concurrency?: number;
  /**
   * Tier that runs at the same time, because both mostly wait. The output of this tier comes after that tier's. Defaults to none.
   */
  readonly runsWith?: string;
  /** Runs only if it is named, because it takes too long. Defaults to false. */
  readonly onDemand?: boolean;
  /** Setup steps, in order. Tiers that run at the same time share them. */
  readonly requires: readonly ((report: Reporter) => Promise<unknown>)[];
}

const TIERS: readonly Tier[] = [
  {
    name: "unit",
    parts: () => ["test/unit/*.test.ts", "test/unit/*/**/*.test.ts"],
    concurrency: 2,
    requires: [],
  },
  {
    name: "services",
    parts: () =>
      [...listFolder("packages"), ...listFolder("services")]
        .map((folder) => `${folder}/test`)
        .filter((folder) => existsSync(join(ROOT, folder)))
        .concat("test/services")
        .map((folder) => `${folder}/**/*.test.ts`),
    // These tests mostly wait for timers, databases and processes.
    concurrency: 2,
    requires: [setUpDocker],
  },
  {
    name: "saga",
    parts: () => ["test/saga/**/*.test.ts"],
    runsWith: "services",
    requires: [setUpDocker],
  },
  {
    name: "browser",
    parts: () => ["test/browser/**/*.test.ts"],
    runsWith: "services",
    requires: [setUpDocker, setUpChromium],
  },
  {
    name: "integration",
    parts: () => testFiles("test/integration"),
    concurrency: 2,
    requires: [setUpDocker, ensureEngine],
  },
  {
    name: "rehearsal",
    parts: () => ["test/staging/**/*.test.ts"],
    runsWith: "integration",
    requires: [setUpDocker, ensureEngine],
  },
  {
    name: "docker-versions",
    parts: () => ["test/dockerVersions/*.test.ts"],
    onDemand: true,
    requires: [setUpDocker, ensureEngine],
  },
];

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
    new Argument("[tier]", "a tier (default: all but docker-versions)").choices(
      TIERS.map(({ name }) => name),
    ),
  ],
  examples: ["./store test", "./store test unit -- --grep config"],
  parse: ({ args: [tier], rest }) => ({ tier, mocha: rest }),
  run,
});

async function run({ tier: name, mocha }: TestOptions): Promise<ExitCode> {
  const tiers = selectTiers(name);
  const results: TierResult[] = [];
  // The terminal sends Ctrl-C to mocha, too. Wait for mocha to clean up.
  const interrupt = new AbortController();
  process.on("SIGINT", () => interrupt.abort());
  for (const group of concurrentGroups(tiers)) {
    if (interrupt.signal.aborted) break;
    for (const setUp of new Set(group.flatMap((tier) => tier.requires))) await setUp(reporter());
    const output = new OrderedOutput(process.stdout);
    const runs = group.map((tier) => runTier(tier, mocha, output, interrupt.signal));
    results.push(...(await Promise.all(runs)));
  }
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

type TierResult = Counts & { readonly tier: string };

/** Groups the tiers that run at the same time. */
function concurrentGroups(tiers: readonly Tier[]): Tier[][] {
  const first = tiers.filter(({ runsWith }) => !tiers.some(({ name }) => name === runsWith));
  return first.map((tier) => [tier, ...tiers.filter(({ runsWith }) => runsWith === tier.name)]);
}

/** Runs the parts of a tier, `concurrency` at a time. */
async function runTier(
  tier: Tier,
  mochaArgs: readonly string[],
  output: OrderedOutput,
  interrupted: AbortSignal,
): Promise<TierResult> {
  output.section().end(`\n${colors.bold(`${tier.name} tests`)}\n`);
  const queue = tier.parts().map((files) => ({ files, section: output.section() }));
  const counts: Counts[] = [];
  const worker = async (): Promise<void> => {
    for (let part = queue.shift(); part !== undefined; part = queue.shift()) {
      if (!interrupted.aborted) counts.push(await runMocha(part.files, mochaArgs, part.section));
      part.section.end();
    }
  };
  await Promise.all(Array.from({ length: tier.concurrency ?? 1 }, worker));
  return { tier: tier.name, ...tierCounts(counts) };
}

/** Lists the test files of a folder and its subfolders. */
function testFiles(folder: string): string[] {
  return listFolder(folder).flatMap((path) =>
    statSync(join(ROOT, path)).isDirectory()
      ? testFiles(path)
      : path.endsWith(".test.ts")
        ? [path]
        : [],
  );
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
  const images = baseImageNames(project, findStack(project, DEFAULT_STACK));
  await ensureBaseImages(images, new Docker(docker), report);
}

async function setUpChromium(report: Reporter): Promise<void> {
  process.env.CHROME_PATH = await ensureChromium(report);
}
