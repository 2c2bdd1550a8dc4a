import {
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { CliError } from "@store/docker/cliError";

/**
 * Runs an action while no other process on this machine runs one under the same name.
 *
 * A lock is a file NAME.N. The one with the highest N counts; whoever finds its process dead makes N+1. Only its own
 * process ever removes such a file, so nobody can take over from a lock that a third one has just taken over: the file
 * N of a dead process stays, and creating N+1 succeeds for one process only.
 */
export async function withLock<T>(
  folder: string,
  name: string,
  onWait: (holderPid: number) => void,
  action: () => Promise<T>,
): Promise<T> {
  mkdirSync(folder, { recursive: true });
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
    if (holder === undefined || !isAlive(holder)) {
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
  /** When the process started, in the kernel's own measure; a number used again by another process has another one. */
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

/** Undefined when the file went away in between: its process has released it. */
function readHolder(file: string): Holder | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const [pid, startedAt] = text.split("\n");
  return { pid: Number(pid), startedAt: startedAt === "" ? undefined : startedAt };
}

/** The file appears with its content in it, and only if there is none of that name. */
function createLock(file: string): boolean {
  const draft = `${file.replace(/\.lock\.\d+$/, "")}.draft.${process.pid}`;
  writeFileSync(draft, `${process.pid}\n${startTime(process.pid) ?? ""}`);
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    throw new CliError(`The cache folder can't hold a lock: ${message}`, {
      hint: "Set XDG_CACHE_HOME to a folder on a local file system that you can write to.",
    });
  } finally {
    unlinkSync(draft);
  }
}

function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // EPERM: there is such a process, another user's.
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  const startedAt = startTime(holder.pid);
  return (
    startedAt === undefined || holder.startedAt === undefined || startedAt === holder.startedAt
  );
}

/** Only Linux tells it without a child process; elsewhere the number alone has to do. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field, the command in parentheses, may itself contain spaces and parentheses.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}
