import { readFileSync } from "node:fs";
import { CliError } from "@store/docker/cliError";
import { type Reporter } from "./report";
import { findOnPath, lastLines, run } from "./run";

/** The words that go before a command to run it as root. */
export type AsRoot = string[];

/** How to become root without being asked anything; undefined where that isn't possible. */
export async function findAsRoot(): Promise<AsRoot | undefined> {
  if (process.getuid?.() === 0) return [];
  if (findOnPath("sudo") === undefined) return undefined;
  const { code } = await run("sudo", ["-n", "true"], { timeoutMs: 5_000 });
  return code === 0 ? ["sudo", "-n"] : undefined;
}

/** What this Linux and its relatives are called; empty elsewhere. */
export function distribution(): string[] {
  try {
    return parseOsRelease(readFileSync("/etc/os-release", "utf8"));
  } catch {
    // No such file: not a Linux that says what it is, which is what an empty list says.
    return [];
  }
}

export function parseOsRelease(text: string): string[] {
  return [...text.matchAll(/^(?:ID|ID_LIKE)=(.*)$/gm)].flatMap(([, value = ""]) =>
    value.replace(/["']/g, "").split(/\s+/).filter(Boolean),
  );
}

/** Whether a Linux of these names has apt, and packages called as we call them. */
export function usesApt(names: readonly string[]): boolean {
  return names.some((id) => id === "debian" || id === "ubuntu");
}

/** Installs packages of the distribution, saying what apt says. */
export async function aptInstall(
  asRoot: AsRoot,
  packages: string[],
  report: Reporter,
  otherwise: string,
): Promise<void> {
  // Another apt may be at work on a machine that has just started.
  const apt: [string, ...string[]] = [
    "env",
    "DEBIAN_FRONTEND=noninteractive",
    "apt-get",
    "-oDPkg::Lock::Timeout=120",
  ];
  for (const args of [["update"], ["install", "--yes", ...packages]]) {
    const { code, stdout, stderr } = await asRootRun(asRoot, [...apt, ...args], report);
    if (code !== 0) {
      throw new CliError(`apt-get ${args.join(" ")} failed:\n${lastLines(stdout + stderr)}`, {
        hint: otherwise,
      });
    }
  }
}

/** Runs a command as root. */
export function asRootRun(
  asRoot: AsRoot,
  command: [string, ...string[]],
  report?: Reporter,
): ReturnType<typeof run> {
  const [first, ...rest] = commandLine(asRoot, command);
  return run(first, rest, { onLine: (line) => report?.progress(line) });
}

export function commandLine(asRoot: AsRoot, command: [string, ...string[]]): [string, ...string[]] {
  const [first, ...rest] = asRoot;
  return first === undefined ? command : [first, ...rest, ...command];
}
