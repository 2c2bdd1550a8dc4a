import { randomUUID } from "node:crypto";
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { CliError } from "@store/docker/cliError";
import { messageOf } from "@store/docker/messageOf";
import {
  isPidAlive,
  isProcessAlive,
  isThisBoot,
  isThisNamespace,
  processIdentity,
  startDate,
} from "@store/toolchain/system/processIdentity";
import { storeCommand } from "../project/storeCommand";

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
  const draft = `${file}.${randomUUID()}`;
  try {
    // On a full disk, it creates the file and then fails.
    writeFileSync(draft, content);
    while (!create(draft, file) && !replaceAbandoned(draft, file)) {
      const lock = readLock(file);
      if (lock && isHeld(lock)) throw refusal(lock);
    }
  } finally {
    rmSync(draft, { force: true });
  }
  const release = (): void => {
    process.off("exit", release);
    // Others may have taken the lock: `pulumi cancel` on another machine removes it, because that machine can't see this process.
    if (readText(file) === content) rmSync(file, { force: true });
  };
  process.once("exit", release);
  return release;
}

/** Creates the lock, with its content, unless it exists. Returns false if it exists. */
function create(draft: string, file: string): boolean {
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Replaces the lock of a process that died. Returns false if the lock is held or has been released. */
function replaceAbandoned(draft: string, file: string): boolean {
  const isAbandoned = (): boolean => {
    const text = readText(file);
    const lock = text === undefined ? undefined : parseLock(file, text);
    return text !== undefined && !(lock && isHeld(lock));
  };
  if (!isAbandoned()) return false;
  return asOnlyRemover(file, () => {
    // Another process may have replaced the lock meanwhile.
    if (!isAbandoned()) return false;
    renameSync(draft, file);
    return true;
  });
}

/** Runs an action that removes or replaces a lock. Only one process at a time does so: a second one would remove the first one's new lock. */
function asOnlyRemover<T>(file: string, action: () => T): T {
  const deadline = Date.now() + REMOVER_TIMEOUT_MS;
  for (;;) {
    let release: () => void;
    try {
      release = takeLock(`${file}.remover`, "", "", (holder) => new RemoverBusy(holder));
    } catch (error) {
      if (!(error instanceof RemoverBusy) || Date.now() > deadline) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
      continue;
    }
    try {
      return action();
    } finally {
      release();
    }
  }
}

/** Time in milliseconds for another process to replace a lock, which takes less than a millisecond. */
const REMOVER_TIMEOUT_MS = 10_000;

class RemoverBusy extends CliError {
  constructor({ pid, file }: Lock) {
    super(`Process ${pid} is replacing the lock that ${file} protects, and doesn't finish.`, {
      hint: `If it is stopped, continue it: kill -CONT ${pid}`,
    });
  }
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
        ? `Wait until it is done. If it no longer runs: ${storeCommand("pulumi cancel --yes", stack)}`
        : `Wait until it is done, then run the command again. To stop the other run: kill -TERM ${lock.pid}`,
    },
  );
}

/** The error for an engine's lock that isn't held, and that the CLI doesn't remove by itself. */
export function staleLockError(stack: string, lock: Lock, cause?: unknown): CliError {
  const since = lock.since.toLocaleString("en-GB");
  return new CliError(
    `The stack ${stack} is locked by process ${lock.pid}${lock.user ? ` of ${lock.user}` : ""} (since ${since}), which no longer runs on ${lock.host}.`,
    {
      hint: `If no other machine or container is named ${lock.host}, remove the lock, then run the command again: ${storeCommand("pulumi cancel --yes", stack)}`,
      ...(cause !== undefined && { details: [messageOf(cause)], cause }),
    },
  );
}

/** Checks whether the lock's pid is one that this process can see and signal. */
export function isFromHere({ host, identity }: Lock): boolean {
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
  if (readText(file) === undefined) return undefined;
  return asOnlyRemover(file, () => {
    const lock = readLock(file);
    if (lock === undefined || (isFromHere(lock) && isHeld(lock))) return undefined;
    rmSync(file, { force: true });
    return lock;
  });
}

/** Returns undefined if there is no such lock, or if the file isn't a lock's. */
export function readLock(file: string): Lock | undefined {
  const text = readText(file);
  return text === undefined ? undefined : parseLock(file, text);
}

/** Returns undefined if there is no such lock; it may have been released since it was listed. */
function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
