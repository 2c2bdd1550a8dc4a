import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { connect } from "node:net";
import { ROOT } from "../project/project";

/**
 * Ends the processes that killed engines have left: plugins, and the program and the policy pack of this checkout. They don't all exit by
 * themselves; a plugin uses about 10 MB. A process is an orphan if nothing listens at the address of its engine.
 */
export async function endOrphanedPlugins(): Promise<void> {
  for (const { pid, port } of pluginProcesses()) {
    if (await answers(port)) continue;
    try {
      process.kill(pid, "SIGTERM");
    } catch {
      // It has exited meanwhile, or belongs to another user.
    }
  }
}

/**
 * Returns the port of the engine that has started a process; undefined for processes that no engine starts.
 *
 * @param commandLine In the format of /proc/PID/cmdline.
 * @param folder Returns the process's working directory. The program and the policy pack of other checkouts are ignored.
 */
export function enginePort(commandLine: string, folder: () => string): number | undefined {
  const [program = "", ...args] = commandLine.split("\0").filter((word) => word !== "");
  const address = isPlugin(program) ? args.at(-1) : isNode(program) ? nodeAddress(args) : undefined;
  const port = /^127\.0\.0\.1:(\d+)$/.exec(address ?? "")?.[1];
  if (port === undefined) return undefined;
  return isPlugin(program) || `${folder()}/`.startsWith(`${ROOT}/`) ? Number(port) : undefined;
}

const isPlugin = (program: string): boolean =>
  /(^|\/)pulumi-(language|resource)-[\w-]+$/.test(program);

const isNode = (program: string): boolean => /(^|\/)node$/.test(program);

/** The engine's address in the arguments of the policy pack or of the program. */
function nodeAddress(args: readonly string[]): string | undefined {
  const [script = ""] = args;
  if (/(^|\/)policy\/serve$/.test(script)) return args.at(-1);
  if (!script.endsWith("/@pulumi/pulumi/cmd/run/index.js")) return undefined;
  const option = args.indexOf("--engine");
  return option === -1 ? undefined : args[option + 1];
}

function pluginProcesses(): { readonly pid: number; readonly port: number }[] {
  // Other systems have no /proc; orphans remain there.
  if (process.platform !== "linux") return [];
  const network = readlinkSync("/proc/self/ns/net");
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid))
    .flatMap((pid) => {
      try {
        const commandLine = readFileSync(`/proc/${pid}/cmdline`, "utf8");
        const port = enginePort(commandLine, () => readlinkSync(`/proc/${pid}/cwd`));
        // In a container, the engine's address is the container's.
        if (port === undefined || readlinkSync(`/proc/${pid}/ns/net`) !== network) return [];
        return [{ pid, port }];
      } catch {
        // The process has exited since it was listed, or belongs to another user.
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
