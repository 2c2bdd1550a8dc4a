import { readFileSync, readlinkSync } from "node:fs";

/** Says who made something, by what no other process ever has: to be kept with it, for {@link isDead}. */
export function ownMark(pid: number = process.pid): string {
  const { boot, space } = here();
  return [boot, space, pid, startOf(pid) ?? ""].join(" ");
}

/**
 * Whether the process that has left this mark has ended, however that was. One of another container on this machine can't be
 * looked for, and is taken to live.
 */
export function isDead(mark: string): boolean {
  const [boot, space, pid, start] = mark.trim().split(" ");
  const now = here();
  if (boot !== now.boot) return true;
  return space === now.space && startOf(Number(pid)) !== start;
}

/** This run of the machine, and the container (or none) in which process ids are what they are. */
function here(): { readonly boot: string; readonly space: string } {
  return {
    boot: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
    space: readlinkSync("/proc/self/ns/pid"),
  };
}

/** When it began, in the kernel's ticks; undefined if there is no such process, or nobody has yet asked how it ended. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the command in brackets, which may hold anything.
    const [state, ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" ? undefined : rest[18];
  } catch {
    return undefined;
  }
}
