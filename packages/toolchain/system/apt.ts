import { readFileSync } from "node:fs";
import { CliError } from "@store/docker/cliError";
import { type Reporter } from "./report";
import { findOnPath, lastLines, run } from "./run";

/** Prefix of a command line that runs the command as root: empty, or sudo with its options. */
export type AsRoot = string[];

/** Returns the prefix for running commands as root without a password prompt; undefined if that isn't possible. */
export async function findAsRoot(): Promise<AsRoot | undefined> {
  if (process.getuid?.() === 0) return [];
  if (findOnPath("sudo") === undefined) return undefined;
  const { code } = await run("sudo", ["-n", "true"], { timeoutMs: 5_000 });
  return code === 0 ? ["sudo", "-n"] : undefined;
}

/** Ids of this Linux distribution and of those it derives from; empty on other systems. */
export function distribution(): string[] {
  try {
    return parseOsRelease(readFileSync("/etc/os-release", "utf8"));
  } catch {
    // Not a Linux distribution.
    return [];
  }
}

export function parseOsRelease(text: string): string[] {
  return [...text.matchAll(/^(?:ID|ID_LIKE)=(.*)$/gm)].flatMap(([, value = ""]) =>
    value.replace(/["']/g, "").split(/\s+/).filter(Boolean),
  );
}

/** Checks for a distribution with apt and Debian's package names. */
export function usesApt(names: readonly string[]): boolean {
  return names.some((id) => id === "debian" || id === "ubuntu");
}

/**
 * Installs packages and reports apt's output as progress.
 *
 * @param hint What the user can do if that fails.
 * @throws CliError
 */
export async function aptInstall(
  asRoot: AsRoot,
  packages: string[],
  report: Reporter,
  hint: string,
): Promise<void> {
  // Waits for another apt, which often runs on a machine that has just booted.
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
        hint,
      });
    }
  }
}

/** Runs a command as root and reports its output as progress. */
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
