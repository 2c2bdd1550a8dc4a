import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";

/**
 * Ends the plugins of engines that were killed: they don't notice by themselves, and each keeps some ten megabytes. A plugin
 * is told its engine's address as its argument; where nobody listens any more, it can never be of use again.
 */
export async function endOrphanedPlugins(): Promise<void> {
  for (const { pid, port } of plugins()) {
    if (await answers(port)) continue;
    try {
      process.kill(pid, "SIGTERM");
    } catch {
      // Gone by itself, or another user's.
    }
  }
}

/** The engine's port, by a plugin's command line as /proc shows it. */
export function enginePort(commandLine: string): number | undefined {
  const [program, ...args] = commandLine.split("\0").filter((word) => word !== "");
  if (!/(^|\/)pulumi-(language|resource)-[\w-]+$/.test(program ?? "")) return undefined;
  const port = /^127\.0\.0\.1:(\d+)$/.exec(args.at(-1) ?? "")?.[1];
  return port === undefined ? undefined : Number(port);
}

function plugins(): { readonly pid: number; readonly port: number }[] {
  // Elsewhere than on Linux there is no /proc, and they stay.
  if (process.platform !== "linux") return [];
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid))
    .flatMap((pid) => {
      try {
        const port = enginePort(readFileSync(`/proc/${pid}/cmdline`, "utf8"));
        return port === undefined ? [] : [{ pid, port }];
      } catch {
        // Ended since it was listed.
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
