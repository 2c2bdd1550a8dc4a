import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ExitCode } from "@store/docker/cliError";
import { messageOf } from "@store/docker/messageOf";
import { Section } from "../terminal/orderedOutput";
import { ROOT } from "../project/project";
import { colors } from "../terminal/terminal";

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  /** Skipped tests. */
  readonly pending: number;
  /** Failed tests, and runs that ended without a report. */
  readonly failures: readonly TestFailure[];
}

interface TestFailure {
  /** Titles of the suites and the test. */
  readonly title: string;
  readonly error: string;
}

/**
 * Limits of an error in the summary: the first lines say what failed, the last ones of a command's output say why. Mocha's report
 * further up has the whole error.
 */
const FIRST_LINES = 6;
const LAST_LINES = 30;
const LINE_CHARACTERS = 500;

/** Renders the end of the output: counts per tier, the failures, and the total in the last line, which CI reads. */
export function summary(results: readonly (Counts & { readonly tier: string })[]): string {
  const sum = (key: "passed" | "failed"): number =>
    results.reduce((total, counts) => total + counts[key], 0);
  const width = Math.max(0, ...results.map(({ tier }) => tier.length));
  const lines = results.map(
    ({ tier, passed, failed }) => `${tier.padEnd(width)}  ${passed} passed, ${failed} failed`,
  );
  const failures = results.flatMap(({ tier, failures }) =>
    failures.map(({ title, error }) =>
      ["", colors.red(`failed: ${tier} › ${title}`), ...shortened(error)].join("\n"),
    ),
  );
  return [
    ...(lines.length > 1 ? lines : []),
    ...failures,
    ...(failures.length > 0 ? [""] : []),
    `${sum("passed")} passed, ${sum("failed")} failed`,
  ].join("\n");
}

function shortened(error: string): string[] {
  const lines = error.split("\n").filter((line) => line.trim() !== "");
  const left = lines.length - FIRST_LINES - LAST_LINES;
  const shown =
    left > 1
      ? [...lines.slice(0, FIRST_LINES), `… ${left} lines left out`, ...lines.slice(-LAST_LINES)]
      : lines;
  return shown.map((line) => `    ${line.slice(0, LINE_CHARACTERS)}`);
}

/**
 * Runs mocha on test files. Resolves when mocha and everything that writes to its output has ended; a mocha that can't be started counts
 * as one failure.
 *
 * @param files Pattern, relative to the project.
 * @param args Further options of mocha.
 * @param interrupted Ends mocha: a signal may have been sent to this process alone.
 */
export async function runMocha(
  files: string,
  args: readonly string[],
  output: Section,
  interrupted: AbortSignal,
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
      interrupted,
    );
    const report = existsSync(countsFile) ? readFileSync(countsFile, "utf8") : undefined;
    return countsOf(report, exitCode);
  } catch (error) {
    // The other parts of the queue go on, and the summary names this one.
    return withFailure(NONE, `mocha on ${files} failed: ${messageOf(error)}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(
  program: string,
  args: readonly string[],
  output: Section,
  interrupted: AbortSignal,
): Promise<number> {
  return new Promise<number>((resolve, reject) => {
    const child = spawn(program, [...args], { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
    const end = (): void => void child.kill("SIGTERM");
    interrupted.addEventListener("abort", end);
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (data: Buffer) => {
        output.write(data);
      });
    }
    child.once("error", reject);
    child.once("close", (code) => {
      interrupted.removeEventListener("abort", end);
      resolve(code ?? ExitCode.Interrupted);
    });
  });
}

/** Parses the report of mochaReporter.cjs. A missing report, or a failed run without a failed test, counts as one failure. */
export function countsOf(report: string | undefined, exitCode: number): Counts {
  if (report === undefined) {
    return withFailure(NONE, `mocha ended with exit code ${exitCode} before it could report`);
  }
  const counts = JSON.parse(report) as Counts;
  if (exitCode !== 0 && counts.failed === 0) {
    return withFailure(counts, `mocha ended with exit code ${exitCode}`);
  }
  return counts;
}

/** Adds up the counts of a tier's parts. A tier without any test counts as one failure. */
export function tierCounts(parts: readonly Counts[]): Counts {
  const all = parts.reduce(
    (sum, { passed, failed, pending, failures }) => ({
      passed: sum.passed + passed,
      failed: sum.failed + failed,
      pending: sum.pending + pending,
      failures: [...sum.failures, ...failures],
    }),
    NONE,
  );
  return all.passed + all.failed + all.pending === 0 ? withFailure(all, "no test was run") : all;
}

const NONE: Counts = { passed: 0, failed: 0, pending: 0, failures: [] };

function withFailure(counts: Counts, error: string): Counts {
  return {
    ...counts,
    failed: counts.failed + 1,
    failures: [...counts.failures, { title: "test run", error }],
  };
}
