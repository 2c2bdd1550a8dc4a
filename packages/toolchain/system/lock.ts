import { linkSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { CliError } from "@store/docker/cliError";
import { messageOf } from "@store/docker/messageOf";
import { isPidAlive, startTime } from "./processIdentity";

/**
 * Runs an action while no other process on this machine runs one under the same name. Waits without a limit while another
 * process holds the lock.
 *
 * The lock is the file NAME.lock.N with the highest N. A process that finds the holder dead creates N+1, which succeeds for one
 * process only; files of dead processes stay. Replacing the stale file instead would let two processes each remove it, the
 * second one together with the first one's new lock.
 *
 * @param onWait Called once for each process that this one has to wait for.
 */
export async function withLock<T>(
  folder: string,
  name: string,
  onWait: (holderPid: number) => void,
  action: () => Promise<T>,
): Promise<T> {
  writable(folder, () => mkdirSync(folder, { recursive: true }));
  const lock = await acquire(folder, name, onWait);
  const release = (): void => rmSync(lock, { force: true });
  process.once("exit", release);
  try {
    return await action();
  } finally {
    process.off("exit", release);
    release();
  }
}

const POLL_MS = 250;

async function acquire(
  folder: string,
  name: string,
  onWait: (holderPid: number) => void,
): Promise<string> {
  let reportedPid: number | undefined;
  for (;;) {
    const highest = highestLock(folder, name);
    const holder = highest === 0 ? undefined : readHolder(lockFile(folder, name, highest));
    if (holder === undefined || !isPidAlive(holder.pid, holder.startedAt)) {
      const mine = lockFile(folder, name, highest + 1);
      if (createLock(mine)) return mine;
      continue;
    }
    if (reportedPid !== holder.pid) onWait(holder.pid);
    reportedPid = holder.pid;
    await sleep(POLL_MS);
  }
}

interface Holder {
  pid: number;
  /** Start time of the process, see {@link startTime}. Undefined on systems without /proc. */
  startedAt?: string;
}

function lockFile(folder: string, name: string, n: number): string {
  return path.join(folder, `${name}.lock.${n}`);
}

function highestLock(folder: string, name: string): number {
  const prefix = `${name}.lock.`;
  const numbers = readdirSync(folder)
    .filter((file) => file.startsWith(prefix))
    .map((file) => Number(file.slice(prefix.length)))
    .filter(Number.isSafeInteger);
  return Math.max(0, ...numbers);
}

/** Returns undefined if the holder has released the lock meanwhile. */
function readHolder(file: string): Holder | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const [pid, startedAt] = text.split("\n");
  return { pid: Number(pid), startedAt: startedAt || undefined };
}

/**
 * Creates the lock file together with its content, by a hard link.
 *
 * @returns false if the file exists already.
 */
function createLock(file: string): boolean {
  const draft = `${file.replace(/\.lock\.\d+$/, "")}.draft.${process.pid}`;
  return writable(path.dirname(file), () => {
    try {
      writeFileSync(draft, `${process.pid}\n${startTime(process.pid) ?? ""}`);
      linkSync(draft, file);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
      throw error;
    } finally {
      rmSync(draft, { force: true });
    }
  });
}

/** Runs an action that writes to the cache folder. @throws CliError if the system refuses */
function writable<T>(folder: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new CliError(`Can't write to the cache folder ${folder}: ${messageOf(error)}.`, {
      hint: "Make it writable, or set XDG_CACHE_HOME to a writable folder on a local file system. Then run this again.",
      cause: error,
    });
  }
}
