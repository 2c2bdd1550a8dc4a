import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { CliError } from "@store/docker/cliError";
import { isPidAlive, startDate } from "@store/toolchain/system/processIdentity";
import { stackOption } from "../project/project";

/** Who works on a stack. The engine writes such files too, with the same fields. */
export interface Lock {
  readonly file: string;
  readonly pid: number;
  readonly host: string;
  readonly user?: string;
  readonly since: Date;
  /** What it does, where the lock is one of ours. */
  readonly verb?: string;
}

/**
 * Takes the command's own lock on a stack, which also covers what happens before the engine takes its one: two that start at
 * the same moment can't get in each other's way.
 *
 * @returns what releases it.
 * @throws CliError that says who has it.
 */
export function takeLock(
  file: string,
  stack: string,
  verb: string,
  refusal: (holder: Lock) => CliError = (holder) => lockedError(stack, holder),
): () => void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const content = JSON.stringify({
    pid: process.pid,
    hostname: hostname(),
    timestamp: new Date().toISOString(),
    verb,
  });
  for (let attempt = 0; ; attempt++) {
    try {
      writeFileSync(file, content, { flag: "wx" });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const lock = readLock(file);
    if (lock && isHeld(lock)) throw refusal(lock);
    if (attempt > 5) throw new CliError(`The lock ${file} can't be taken. Delete that file.`);
    rmSync(file, { force: true });
  }
  const release = (): void => rmSync(file, { force: true });
  process.once("exit", release);
  return release;
}

/** The locks that engines have on a stack, by the file backend's folder for them. */
export function engineLocks(folder: string): Lock[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .flatMap((name) => readLock(join(folder, name)) ?? []);
}

export function removeEngineLock(lock: Lock): void {
  rmSync(lock.file, { force: true });
  rmSync(`${lock.file}.attrs`, { force: true });
}

export function parseLock(file: string, text: string): Lock | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Cut off while it was written: whoever did that no longer lives, or the next look finds it whole.
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { pid, hostname: host, username, timestamp, verb } = value as Record<string, unknown>;
  if (typeof pid !== "number" || typeof host !== "string" || typeof timestamp !== "string") {
    return undefined;
  }
  return {
    file,
    pid,
    host,
    since: new Date(timestamp),
    user: typeof username === "string" ? username : undefined,
    verb: typeof verb === "string" ? verb : undefined,
  };
}

/** Checks whether the process that took the lock still runs. A lock of another machine can't be checked and counts as held. */
export function isHeld(lock: Lock): boolean {
  if (lock.host !== hostname()) return true;
  if (!isPidAlive(lock.pid)) return false;
  // A process that started after the lock was taken has got the pid of the one that took it.
  const started = startDate(lock.pid);
  return started === undefined || started.getTime() <= lock.since.getTime() + 2000;
}

export function lockedError(stack: string, lock: Lock): CliError {
  const elsewhere = lock.host !== hostname();
  const who = [
    lock.verb ? `\`./store ${lock.verb}\`` : "a pulumi command",
    `process ${lock.pid}${elsewhere ? ` on ${lock.host}` : ""}`,
    ...(lock.user ? [`of ${lock.user}`] : []),
    `since ${lock.since.toLocaleTimeString("en-GB")}`,
  ];
  return new CliError(
    `Another run is working on the stack ${stack}: ${who[0]} (${who.slice(1).join(", ")}). Nothing was changed.`,
    {
      hint: elsewhere
        ? `Wait until it is done. If it no longer runs there: ./store pulumi cancel${stackOption(stack)}`
        : `Wait until it is done, then run this again. To stop it: kill -INT ${lock.pid}`,
    },
  );
}

function readLock(file: string): Lock | undefined {
  try {
    return parseLock(file, readFileSync(file, "utf8"));
  } catch {
    // Released between listing and reading.
    return undefined;
  }
}
