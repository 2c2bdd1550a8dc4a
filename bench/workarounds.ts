/**
 * Measures the workarounds in runtime/: `pulumi preview` of a new stack with all of them, and with each replaced by the plain
 * version. Also measures workarounds that were tried and deleted. Works on copies of this checkout, each with its own state; nothing is deployed.
 *
 *     npx tsx bench/workarounds.ts [rounds]
 *
 * Each round runs all versions in turn; the table compares each version with the run of all workarounds in the same round.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureEngine } from "@store/toolchain/engine/engine";
import { copyWorkspace } from "../test/support/workspace";
import { REPOSITORY } from "./emptyProgram";
import { Command, inTurn, measure, median, printTable } from "./measure";

/** Replacements in one file of a copy. An empty text removes the pattern. */
type Edit = readonly [file: string, pattern: RegExp, replacement: string];

const BASELINE = "all workarounds";
const VERSIONS: Readonly<Record<string, readonly Edit[]>> = {
  [BASELINE]: [],
  "Pulumi's ts-node instead of tsx": [
    ["runtime/main.cjs", /require\("tsx\/cjs"\);\n/, ""],
    ["Pulumi.yaml", /typescript: false/, "typescript: true"],
  ],
  "no lazy SDK modules": [["runtime/main.cjs", /deferModules\(UNUSED_BY_PROGRAM\);\n/, ""]],
  "no stackTraces.ts": [["index.ts", /import "\.\/runtime\/stackTraces";\n/, ""]],
  "no short traces": [["runtime/unreadTraces.ts", /error\.message === ""/, "false"]],
  // Measured on 2026-11-28 and deleted because they save too little:
  "with packages loaded before tsx": [
    [
      "runtime/main.cjs",
      /(?=require\("tsx)/,
      `["@pulumi/pulumi", "@pulumi/docker", "@pulumi/command", "@pulumi/random", "valibot"].forEach((name) => require(name));\n`,
    ],
  ],
  "with Node's compile cache": [
    [
      "runtime/main.cjs",
      /"use strict";/,
      `"use strict";\nrequire("node:module").enableCompileCache?.();`,
    ],
  ],
  "with a 10 ms pause after the providers": [
    [
      "index.ts",
      /export function program\(\): (.*) {/,
      "export async function program(): Promise<$1> {",
    ],
    [
      "index.ts",
      / {2}const store = /,
      "  await new Promise((done) => setTimeout(done, 10));\n  const store = ",
    ],
  ],
};

async function main(): Promise<void> {
  const rounds = Number(process.argv[2] ?? 5);
  const folder = mkdtempSync(join(tmpdir(), "workarounds-"));
  try {
    const commands: Command[] = [];
    for (const [index, [name, edits]] of Object.entries(VERSIONS).entries())
      commands.push(await preview(name, join(folder, String(index)), edits));
    const results = await inTurn(commands, rounds);

    const baseline = results.get(BASELINE) ?? [];
    printTable(
      ["version", "median s", "CPU s", "wall, to all", "CPU, to all"],
      [...results].map(([name, runs]) => [
        name,
        median(runs.map(({ seconds }) => seconds)).toFixed(2),
        median(runs.map(({ cpuSeconds }) => cpuSeconds)).toFixed(2),
        difference(runs.map((run, i) => run.seconds - (baseline[i]?.seconds ?? NaN))),
        difference(runs.map((run, i) => run.cpuSeconds - (baseline[i]?.cpuSeconds ?? NaN))),
      ]),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Prepares a copy of this checkout with a new stack. */
async function preview(name: string, folder: string, edits: readonly Edit[]): Promise<Command> {
  const engine = await ensureEngine({
    step: console.error,
    progress: () => undefined,
    note: console.error,
  });
  await copyWorkspace(REPOSITORY, folder);
  for (const [file, pattern, replacement] of edits) {
    const text = readFileSync(join(folder, file), "utf8");
    if (!pattern.test(text)) throw new Error(`${file} has no ${String(pattern)}.`);
    writeFileSync(join(folder, file), text.replace(pattern, replacement));
  }
  const env = {
    ...process.env,
    ...engine.env,
    PULUMI_BACKEND_URL: `file://${folder}`,
    PULUMI_CONFIG_PASSPHRASE: "bench",
  };
  const command = (...args: string[]): Command => ({
    name,
    argv: [engine.pulumi, ...args],
    cwd: folder,
    env,
  });
  await measure(command("stack", "init", "bench"));
  return command("preview", "--non-interactive");
}

/** Median of the differences within each round, and their range. */
function difference(seconds: readonly number[]): string {
  const signed = (value: number): string => `${value < 0 ? "" : "+"}${value.toFixed(2)}`;
  return `${signed(median(seconds))} (${signed(Math.min(...seconds))} … ${signed(Math.max(...seconds))})`;
}

void main();
