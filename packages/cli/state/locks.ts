import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { CliError } from "@store/docker/cliError";
import {
  isPidAlive,
  isProcessAlive,
  isThisBoot,
  isThisNamespace,
  processIdentity,
  startDate,
} from "@store/toolchain/system/processIdentity";
import { stackOption } from "../project/project";

/** A lock on a stack, taken by this CLI or by the engine. Both write the same fields. */
export interface Lock {
  readonly file: string;
  readonly pid: number;
  readonly host: string;
  readonly user?: string;
  /** The process' {@link processIdentity}. Undefined if the engine took the lock, and on systems without /proc. */
  readonly identity?: string;
  readonly since: Date;
  /** The command that took the lock, for example "up dev". Undefined if the engine took it. */
  readonly command?: string;
}

/**
 * Takes the CLI's lock on a stack. It also covers the time before the engine takes its own lock.
 *
 * @param command Shown to others that find the lock taken.
 * @param refusal Creates the error if the lock is taken.
 * @returns a function that releases the lock.
 * @throws CliError that names the holder.
 */
export function takeLock(
  file: string,
  stack: string,
  command: string,
  refusal: (holder: Lock) => CliError = (holder) => lockedError(stack, holder),
): () => void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const content = JSON.stringify({
    pid: process.pid,
    hostname: hostname(),
    timestamp: new Date().toISOString(),
    ...(process.platform === "linux" && { identity: processIdentity() }),
    command,
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
    if (attempt > 5)
      throw new CliError(`Can't take the lock ${file}.`, { hint: "Delete that file." });
    rmSync(file, { force: true });
  }
  const release = (): void => {
    // At the exit, the lock may be another process'.
    process.off("exit", release);
    rmSync(file, { force: true });
  };
  process.once("exit", release);
  return release;
}

/** Reads the engine's locks on a stack from the file backend's folder for them. */
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
    // Incomplete: its writer died, or is still writing.
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const {
    pid,
    hostname: host,
    username,
    timestamp,
    command,
    identity,
  } = value as Record<string, unknown>;
  if (typeof pid !== "number" || typeof host !== "string" || typeof timestamp !== "string") {
    return undefined;
  }
  return {
    file,
    pid,
    host,
    since: new Date(timestamp),
    user: typeof username === "string" ? username : undefined,
    command: typeof command === "string" ? command : undefined,
    identity: typeof identity === "string" ? identity : undefined,
  };
}

/** Checks whether the process that took the lock still runs. A lock of another machine can't be checked and counts as held. */
export function isHeld(lock: Lock): boolean {
  // This machine since its last start, whatever its host name or its container is now.
  if (lock.identity !== undefined && isThisBoot(lock.identity))
    return isProcessAlive(lock.identity);
  if (lock.host !== hostname()) return true;
  // This machine before its last start.
  if (lock.identity !== undefined) return false;
  if (!isPidAlive(lock.pid)) return false;
  // A process that started after the lock was taken has got the pid of the one that took it.
  const started = startDate(lock.pid);
  return started === undefined || started.getTime() <= lock.since.getTime() + 2000;
}

export function lockedError(stack: string, lock: Lock): CliError {
  const elsewhere = !isFromHere(lock);
  const holder = [
    lock.command ? `\`./store ${lock.command}\`` : "a pulumi command",
    `process ${lock.pid}${elsewhere ? ` on ${placeOf(lock)}` : ""}`,
    ...(lock.user ? [`of ${lock.user}`] : []),
    `since ${lock.since.toLocaleString("en-GB")}`,
  ];
  return new CliError(
    `Another run is working on the stack ${stack}: ${holder[0]} (${holder.slice(1).join(", ")}). Nothing was changed.`,
    {
      hint: elsewhere
        ? `Wait until it is done. If it no longer runs: ./store pulumi cancel --yes${stackOption(stack)}`
        : `Wait until it is done, then run the command again. To stop the other run: kill -INT ${lock.pid}`,
    },
  );
}

/** Checks whether the lock's pid is one that this process can see and signal. */
function isFromHere({ host, identity }: Lock): boolean {
  return host === hostname() && (identity === undefined || isThisNamespace(identity));
}

function placeOf({ host }: Lock): string {
  return host === hostname() ? `${host}, in another container` : host;
}

/**
 * Removes the CLI's lock on a stack unless its process runs on this machine. `pulumi cancel` removes the engine's locks only.
 *
 * @returns the removed lock.
 */
export function removeAbandonedLock(file: string): Lock | undefined {
  const lock = readLock(file);
  if (lock === undefined || (isFromHere(lock) && isHeld(lock))) return undefined;
  rmSync(file, { force: true });
  return lock;
}

function readLock(file: string): Lock | undefined {
  try {
    return parseLock(file, readFileSync(file, "utf8"));
  } catch {
    // Released between listing and reading.
    return undefined;
  }
}
