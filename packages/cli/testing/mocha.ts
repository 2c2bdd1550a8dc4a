import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ExitCode } from "@store/docker/cliError";
import { Section } from "../terminal/orderedOutput";
import { ROOT } from "../project/project";
import { colors } from "../terminal/terminal";

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  /** Left out by themselves. */
  readonly pending: number;
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

/**
 * Runs the tests of some files, and resolves when all that they started has ended.
 *
 * @param files A pattern, relative to the project.
 * @param args Further options of mocha.
 */
export async function runMocha(
  files: string,
  args: readonly string[],
  output: Section,
): Promise<Counts> {
  const folder = mkdtempSync(join(tmpdir(), "store-test-"));
  const countsFile = join(folder, "counts.json");
  const options = [`countsFile=${countsFile}`, ...(process.stdout.isTTY ? ["colors=yes"] : [])];
  try {
    const exitCode = await run(
      process.execPath,
      [
        require.resolve("mocha/bin/mocha.js"),
        ...["--reporter", join(__dirname, "mochaReporter.cjs")],
        ...options.flatMap((option) => ["--reporter-option", option]),
        files,
        ...args,
      ],
      output,
    );
    const report = existsSync(countsFile) ? readFileSync(countsFile, "utf8") : undefined;
    return countsOf(report, exitCode);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(program: string, args: readonly string[], output: Section): Promise<number> {
  return new Promise<number>((resolve, reject) => {
    const child = spawn(program, [...args], { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (data: Buffer) => {
        output.write(data);
      });
    }
    child.once("error", reject);
    child.once("close", (code) => {
      resolve(code ?? ExitCode.Interrupted);
    });
  });
}

/** What mocha counted. One that ended without counting is a failure by itself. */
export function countsOf(report: string | undefined, exitCode: number): Counts {
  if (report === undefined) {
    return failing(NONE, `mocha ended with exit code ${exitCode} before it could count`);
  }
  const counts = JSON.parse(report) as Counts;
  if (exitCode !== 0 && counts.failed === 0) {
    return failing(counts, `mocha ended with exit code ${exitCode}`);
  }
  return counts;
}

/** Of all its parts. Having found no test in any of them is a failure. */
export function ofTier(parts: readonly Counts[]): Counts {
  const all = parts.reduce(
    (sum, { passed, failed, pending, failures }) => ({
      passed: sum.passed + passed,
      failed: sum.failed + failed,
      pending: sum.pending + pending,
      failures: [...sum.failures, ...failures],
    }),
    NONE,
  );
  return all.passed + all.failed + all.pending === 0 ? failing(all, "no test was run") : all;
}

const NONE: Counts = { passed: 0, failed: 0, pending: 0, failures: [] };

function failing(counts: Counts, error: string): Counts {
  return {
    ...counts,
    failed: counts.failed + 1,
    failures: [...counts.failures, { title: "the run itself", error }],
  };
}
