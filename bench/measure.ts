import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import BASE_IMAGES from "../config/baseImages.json";

export interface Measured {
  readonly seconds: number;
  /** User and system time in seconds of the command and the processes it waited for. Linux only; elsewhere NaN. */
  readonly cpuSeconds: number;
  /** Peak resident memory of the largest process that the command started, in MB (10^6 bytes). Linux only; elsewhere NaN. */
  readonly peakMegabytes: number;
}

export interface Command {
  readonly name: string;
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Runs the commands in turn, A B C A B C …, so that a slow phase of the machine affects all of them alike. The first round is a
 * warm-up and isn't recorded.
 *
 * @throws Error when a command fails: a failure is no measurement.
 */
export async function inTurn(
  commands: readonly Command[],
  rounds: number,
): Promise<Map<string, Measured[]>> {
  const results = new Map<string, Measured[]>(commands.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const command of commands) {
      const measured = await measure(command);
      if (round > 0) results.get(command.name)?.push(measured);
    }
  }
  return results;
}

/** Measures one run of a command. @throws an error if it fails. */
export async function measure({
  name,
  argv: [program, ...args],
  cwd,
  env,
}: Command): Promise<Measured> {
  const start = process.hrtime.bigint();
  const cpuBefore = childrensCpuSeconds();
  const child = spawn(program, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  child.stdout.on("data", (data: Buffer) => (output += data.toString()));
  child.stderr.on("data", (data: Buffer) => (output += data.toString()));

  let peak = NaN;
  const watch = setInterval(() => {
    if (process.platform === "linux")
      peak = Math.max(Number.isNaN(peak) ? 0 : peak, ...peaksBelow(child.pid ?? -1));
  }, 25);
  const code = await new Promise((done) => child.on("close", done));
  clearInterval(watch);
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  if (code !== 0) throw new Error(`${name} ended with ${String(code)}:\n${output}`);
  return { seconds, cpuSeconds: childrensCpuSeconds() - cpuBefore, peakMegabytes: peak };
}

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const [low, high] = [
    sorted[Math.floor((sorted.length - 1) / 2)],
    sorted[Math.ceil((sorted.length - 1) / 2)],
  ];
  return low === undefined || high === undefined ? NaN : (low + high) / 2;
}

/** Returns a percentile. @param share Between 0 and 1. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}

/** Prints rows as a Markdown table. */
export function printTable(header: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  console.log(line(header));
  console.log(`|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`);
  for (const row of rows) console.log(line(row));
}

/** User and system time of all children that have ended, in seconds: the fields cutime and cstime of proc(5), in ticks of 10 ms. */
function childrensCpuSeconds(): number {
  if (process.platform !== "linux") return NaN;
  const fields = readFileSync("/proc/self/stat", "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

/** Returns the peak memory (VmHWM) of a process and its descendants. The kernel records the peak, so sampling is sufficient. */
function peaksBelow(root: number): number[] {
  const parents = new Map<number, number>();
  const peaks = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const status = statusOf(name);
    parents.set(Number(name), Number(/^PPid:\s+(\d+)/m.exec(status)?.[1] ?? 0));
    peaks.set(Number(name), (Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024) / 1e6);
  }
  const isBelow = (pid: number): boolean =>
    pid === root || (parents.has(pid) && isBelow(parents.get(pid) ?? 0));
  return [...peaks].filter(([pid]) => isBelow(pid)).map(([, megabytes]) => megabytes);
}

function statusOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    // The process has ended.
    return "";
  }
}

/** Name of the stacks' Node image, which has bash. */
export function nodeImage(): string {
  // A fallback image has no digest.
  return BASE_IMAGES.node.replace(/@.*$/, "");
}
