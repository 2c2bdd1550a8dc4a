import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ensureBaseImages } from "@store/toolchain/images/baseImages";
import { ensureChromium } from "@store/toolchain/tools/chromium";
import { ensureDocker } from "@store/toolchain/tools/docker";
import { ensureEngine } from "@store/toolchain/engine/engine";
import { ExitCode } from "@store/docker/cliError";
import { OrderedOutput } from "../../terminal/orderedOutput";
import { Counts, ofTier, runMocha, summary } from "../../testing/mocha";
import { baseImageNames, DEFAULT_STACK, findStack, readProject, ROOT } from "../../project/project";
import { colors, Reporter, reporter } from "../../terminal/terminal";

export interface TestOptions {
  readonly tier?: string;
  /** Further options of mocha. */
  readonly mocha: readonly string[];
}

export async function test(options: TestOptions): Promise<ExitCode> {
  const chosen = TIERS.filter(({ name }) => options.tier === undefined || name === options.tier);
  const results: (Counts & { readonly tier: string })[] = [];
  // Mocha gets Ctrl-C from the terminal, too, and cleans up; we wait for it.
  const interrupt = new AbortController();
  process.on("SIGINT", () => {
    interrupt.abort();
  });
  for (const first of chosen.filter(({ beside }) => !isChosen(chosen, beside))) {
    if (interrupt.signal.aborted) break;
    const together = [first, ...chosen.filter(({ beside }) => beside === first.name)];
    const needs = new Set(together.flatMap((tier) => tier.needs));
    for (const setUp of needs) await setUp(reporter());
    const screen = new OrderedOutput(process.stdout);
    const running = together.map((tier) => run(tier, options.mocha, screen, interrupt.signal));
    results.push(...(await Promise.all(running)));
  }
  if (interrupt.signal.aborted) {
    process.stdout.write("\nThe tests were interrupted.\n");
    return ExitCode.Interrupted;
  }
  process.stdout.write(`${summary(results)}\n`);
  const failed = results.reduce((sum, counts) => sum + counts.failed, 0);
  return failed === 0 ? ExitCode.Ok : ExitCode.Failed;
}

function isChosen(chosen: readonly Tier[], name: string | undefined): boolean {
  return chosen.some((tier) => tier.name === name);
}

/** Runs as many of its parts at a time as there are to be. */
async function run(
  tier: Tier,
  args: readonly string[],
  screen: OrderedOutput,
  interrupted: AbortSignal,
): Promise<Counts & { readonly tier: string }> {
  screen.section().end(`\n${colors.bold(`${tier.name} tests`)}\n`);
  const waiting = tier.parts().map((files) => ({ files, section: screen.section() }));
  const counts: Counts[] = [];
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (!interrupted.aborted) counts.push(await runMocha(next.files, args, next.section));
      next.section.end();
    }
  };
  await Promise.all(Array.from({ length: tier.atOnce ?? 1 }, lane));
  return { tier: tier.name, ...ofTier(counts) };
}

interface Tier {
  readonly name: string;
  /** Patterns of files. Each is a run of mocha of its own, which shares nothing with the others. */
  readonly parts: () => readonly string[];
  /** How many of the parts at a time. @default 1 */
  readonly atOnce?: number;
  /** The tier during which it runs, since both mostly wait; what it prints comes after. @default none */
  readonly beside?: string;
  /** What it needs, in the order in which that is set up; once for tiers that run together. */
  readonly needs: readonly ((report: Reporter) => Promise<unknown>)[];
}

const TIERS: readonly Tier[] = [
  {
    name: "unit",
    parts: () => ["test/unit/*.test.ts", "test/unit/*/**/*.test.ts"],
    atOnce: 2,
    needs: [],
  },
  {
    name: "services",
    parts: () =>
      [...within("packages"), ...within("services")]
        .map((folder) => `${folder}/test`)
        .filter((folder) => existsSync(join(ROOT, folder)))
        .concat("test/services")
        .map((folder) => `${folder}/**/*.test.ts`),
    // They wait for timers, databases and each other's ends more than they work.
    atOnce: 2,
    needs: [setUpDocker],
  },
  {
    name: "saga",
    parts: () => ["test/saga/**/*.test.ts"],
    beside: "services",
    needs: [setUpDocker],
  },
  {
    name: "browser",
    parts: () => ["test/browser/**/*.test.ts"],
    beside: "services",
    needs: [setUpDocker, setUpChromium],
  },
  {
    name: "integration",
    parts: () => within("test/integration").filter((file) => file.endsWith(".test.ts")),
    atOnce: 2,
    needs: [setUpDocker, ensureEngine],
  },
  {
    name: "rehearsal",
    parts: () => ["test/staging/**/*.test.ts"],
    beside: "integration",
    needs: [setUpDocker, ensureEngine],
  },
];

/** What lies in a folder, in the order of the alphabet. */
function within(folder: string): string[] {
  return readdirSync(join(ROOT, folder))
    .map((name) => `${folder}/${name}`)
    .sort();
}

async function setUpDocker(report: Reporter): Promise<void> {
  const project = readProject();
  const docker = await ensureDocker(report);
  await ensureBaseImages(
    baseImageNames(project, findStack(project, DEFAULT_STACK)),
    docker,
    report,
  );
}

async function setUpChromium(report: Reporter): Promise<void> {
  process.env.CHROME_PATH = await ensureChromium(report);
}
