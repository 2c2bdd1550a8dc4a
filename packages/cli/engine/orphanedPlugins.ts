import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";

/**
 * Ends the plugins of engines that were killed. Such plugins don't exit by themselves, and each uses about 10 MB. A plugin is
 * an orphan if nothing listens at its engine's address, which is its last argument.
 */
export async function endOrphanedPlugins(): Promise<void> {
  for (const { pid, port } of plugins()) {
    if (await answers(port)) continue;
    try {
      process.kill(pid, "SIGTERM");
    } catch {
      // It has exited meanwhile, or belongs to another user.
    }
  }
}

/** Returns the engine's port from a plugin's command line in the format of /proc/PID/cmdline; undefined for other processes. */
export function enginePort(commandLine: string): number | undefined {
  const [program, ...args] = commandLine.split("\0").filter((word) => word !== "");
  if (!/(^|\/)pulumi-(language|resource)-[\w-]+$/.test(program ?? "")) return undefined;
  const port = /^127\.0\.0\.1:(\d+)$/.exec(args.at(-1) ?? "")?.[1];
  return port === undefined ? undefined : Number(port);
}

function plugins(): { readonly pid: number; readonly port: number }[] {
  // Other systems have no /proc; orphans remain there.
  if (process.platform !== "linux") return [];
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid))
    .flatMap((pid) => {
      try {
        const port = enginePort(readFileSync(`/proc/${pid}/cmdline`, "utf8"));
        return port === undefined ? [] : [{ pid, port }];
      } catch {
        // The process has exited since it was listed.
        return [];
      }
    });
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "ECONNREFUSED"));
  });
}
