import { readFileSync, readlinkSync } from "node:fs";

/**
 * Identifies a process across restarts of the machine and reuse of process ids: boot id, pid namespace, pid and start time.
 * Linux only. Store it with whatever the process owns, and check it with {@link isProcessAlive}.
 */
export function processIdentity(pid: number = process.pid): string {
  return [bootId(), pidNamespace(), pid, startTime(pid) ?? ""].join(" ");
}

/**
 * Checks whether the process of a {@link processIdentity} still runs. A process of another pid namespace (another container on
 * this machine) can't be checked and counts as alive until the next reboot.
 */
export function isProcessAlive(identity: string): boolean {
  const [boot, namespace, pid, startedAt] = identity.trim().split(" ");
  if (boot !== bootId()) return false;
  return namespace !== pidNamespace() || isPidAlive(Number(pid), startedAt);
}

/**
 * Checks whether a process runs on this machine.
 *
 * @param startedAt Its {@link startTime}, so that another process which got the same pid doesn't count. @default not compared
 */
export function isPidAlive(pid: number, startedAt?: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: a process of another user.
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  const stat = readStat(pid);
  if (stat === undefined) return true;
  // A zombie has ended; its parent hasn't collected the exit code yet.
  if (stat.state === "Z" || stat.state === "X") return false;
  return startedAt === undefined || stat.startTime === startedAt;
}

/** Start time of a process in clock ticks since boot; undefined if it doesn't run, and on systems without /proc. */
export function startTime(pid: number): string | undefined {
  return readStat(pid)?.startTime;
}

/** Start time of a process as a date, exact to about a second; undefined if it doesn't run, and on systems without /proc. */
export function startDate(pid: number): Date | undefined {
  const ticks = startTime(pid);
  if (ticks === undefined) return undefined;
  const bootTime = /^btime (\d+)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1];
  // 100 ticks a second on every architecture that Node runs on.
  return bootTime === undefined
    ? undefined
    : new Date((Number(bootTime) + Number(ticks) / 100) * 1000);
}

function readStat(pid: number): { readonly state: string; readonly startTime: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the command in parentheses, which may itself contain spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0] ?? "", startTime: fields[19] ?? "" };
  } catch {
    // No such process, or a system without /proc.
    return undefined;
  }
}

/** Checks whether a {@link processIdentity} was made on this machine since its last start. Linux only. */
export function isThisBoot(identity: string): boolean {
  return process.platform === "linux" && identity.split(" ")[0] === bootId();
}

/** Checks whether a {@link processIdentity} was made in this pid namespace: not in another container. Linux only. */
export function isThisNamespace(identity: string): boolean {
  return isThisBoot(identity) && identity.split(" ")[1] === pidNamespace();
}

function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

function pidNamespace(): string {
  return readlinkSync("/proc/self/ns/pid");
}
