import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureBaseImages } from "../../toolchain/baseImages";
import { ensureChromium } from "../../toolchain/chromium";
import { ensureDocker } from "../../toolchain/docker";
import { ensureEngine } from "../../toolchain/engine";
import { ExitCode } from "../failure";
import { baseImageNames, DEFAULT_STACK, findStack, readProject, ROOT } from "../project";
import { colors, Reporter, reporter } from "../terminal";

export interface TestOptions {
  readonly tier?: string;
  /** Further options of mocha. */
  readonly mocha: readonly string[];
}

export async function test(options: TestOptions): Promise<ExitCode> {
  const chosen = TIERS.filter(({ name }) => options.tier === undefined || name === options.tier);
  const results: (Counts & { readonly tier: string })[] = [];
  for (const tier of chosen.filter(({ beside }) => !isChosen(chosen, beside))) {
    const others = chosen.filter(({ beside }) => beside === tier.name);
    process.stdout.write(`\n${colors.bold(`${tier.name} tests`)}\n`);
    for (const one of [tier, ...others]) await one.setUp(reporter());
    const quietly = others.map(async (one) => {
      const pieces: Buffer[] = [];
      const counts = await runMocha(one, options.mocha, pieces);
      return { tier: one.name, counts, output: Buffer.concat(pieces) };
    });
    results.push({ tier: tier.name, ...(await runMocha(tier, options.mocha)) });
    for (const { tier: name, counts, output } of await Promise.all(quietly)) {
      process.stdout.write(`\n${colors.bold(`${name} tests`)}, meanwhile\n`);
      process.stdout.write(output);
      results.push({ tier: name, ...counts });
    }
  }
  process.stdout.write(`${summary(results)}\n`);
  const failed = results.reduce((sum, counts) => sum + counts.failed, 0);
  return failed === 0 ? ExitCode.Ok : ExitCode.Failed;
}

function isChosen(chosen: readonly Tier[], name: string | undefined): boolean {
  return chosen.some((tier) => tier.name === name);
}

interface Tier {
  readonly name: string;
  readonly specs: readonly string[];
  /** The tier during which it runs, since it mostly waits; what it prints comes after. @default none */
  readonly beside?: string;
  readonly setUp: (report: Reporter) => Promise<void>;
}

const TIERS: readonly Tier[] = [
  {
    name: "unit",
    specs: ["test/unit/**/*.test.ts"],
    setUp: () => Promise.resolve(),
  },
  {
    name: "services",
    specs: [
      "packages/*/test/**/*.test.ts",
      "services/*/test/**/*.test.ts",
      "test/services/**/*.test.ts",
    ],
    setUp: setUpDocker,
  },
  {
    name: "saga",
    specs: ["test/saga/**/*.test.ts"],
    beside: "services",
    setUp: setUpDocker,
  },
  {
    name: "browser",
    specs: ["test/browser/**/*.test.ts"],
    setUp: async (report) => {
      await setUpDocker(report);
      process.env.CHROME_PATH = await ensureChromium(report);
    },
  },
  {
    name: "integration",
    specs: ["test/integration/**/*.test.ts"],
    setUp: async (report) => {
      await setUpDocker(report);
      await ensureEngine(report);
    },
  },
  {
    name: "rehearsal",
    specs: ["test/rehearsal/**/*.test.ts"],
    beside: "integration",
    setUp: async (report) => {
      await setUpDocker(report);
      await ensureEngine(report);
    },
  },
];

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  /** What failed, and what ended a tier before it could count. */
  readonly failures: readonly Failed[];
}

interface Failed {
  /** Of the test, with those of the suites around it. */
  readonly title: string;
  readonly error: string;
}

/** How much of an error stands under the counts; all of it is further up. */
const ERROR_LINES = 8;
const LINE_CHARACTERS = 300;

/** The lines after all the tests: counts, what failed once more, and the sum. The last line alone is what CI reads. */
export function summary(results: readonly (Counts & { readonly tier: string })[]): string {
  const sum = (key: "passed" | "failed"): number =>
    results.reduce((total, counts) => total + counts[key], 0);
  const width = Math.max(0, ...results.map(({ tier }) => tier.length));
  const lines = results.map(
    ({ tier, passed, failed }) => `${tier.padEnd(width)}  ${passed} passed, ${failed} failed`,
  );
  const failures = results.flatMap(({ tier, failures }) =>
    failures.map(({ title, error }) =>
      ["", colors.red(`failed: ${tier} › ${title}`), ...indented(error)].join("\n"),
    ),
  );
  return [
    ...(lines.length > 1 ? lines : []),
    ...failures,
    ...(failures.length > 0 ? [""] : []),
    `${sum("passed")} passed, ${sum("failed")} failed`,
  ].join("\n");
}

function indented(error: string): string[] {
  const lines = error.split("\n").filter((line) => line.trim() !== "");
  const more = lines.length - ERROR_LINES;
  return [...lines.slice(0, ERROR_LINES), ...(more > 0 ? [`… ${more} more lines`] : [])].map(
    (line) => `    ${line.slice(0, LINE_CHARACTERS)}`,
  );
}

/** What mocha counted. One that ended without counting, or found no tests, is a failure by itself. */
export function countsOf(report: string | undefined, exitCode: number): Counts {
  const alone = (
    error: string,
    counts: Counts = { passed: 0, failed: 0, failures: [] },
  ): Counts => ({
    passed: counts.passed,
    failed: counts.failed + 1,
    failures: [...counts.failures, { title: "the run itself", error }],
  });
  if (report === undefined) {
    return alone(`mocha ended with exit code ${exitCode} before it could count`);
  }
  const { pending, ...counts } = JSON.parse(report) as Counts & { readonly pending: number };
  if (counts.passed + counts.failed + pending === 0) return alone("no test was run");
  if (exitCode !== 0 && counts.failed === 0) {
    return alone(`mocha ended with exit code ${exitCode}`, counts);
  }
  return counts;
}

/** @param kept Takes what it prints; otherwise that is printed at once. */
async function runMocha(tier: Tier, args: readonly string[], kept?: Buffer[]): Promise<Counts> {
  const folder = mkdtempSync(join(tmpdir(), "store-test-"));
  const countsFile = join(folder, "counts.json");
  try {
    const exitCode = await run(
      process.execPath,
      [
        require.resolve("mocha/bin/mocha.js"),
        "--reporter",
        join(ROOT, "cli", "mochaReporter.cjs"),
        "--reporter-option",
        `countsFile=${countsFile}`,
        ...tier.specs,
        ...args,
      ],
      kept,
    );
    const report = existsSync(countsFile) ? readFileSync(countsFile, "utf8") : undefined;
    return countsOf(report, exitCode);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(program: string, args: readonly string[], kept?: Buffer[]): Promise<number> {
  // Mocha gets Ctrl-C from the terminal too and cleans up; we wait for it.
  const wait = (): void => undefined;
  process.on("SIGINT", wait);
  return new Promise<number>((resolve, reject) => {
    const child = spawn(program, [...args], {
      cwd: ROOT,
      stdio: kept ? ["ignore", "pipe", "pipe"] : "inherit",
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (data: Buffer) => kept?.push(data));
    }
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? ExitCode.Interrupted));
  }).finally(() => process.off("SIGINT", wait));
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
