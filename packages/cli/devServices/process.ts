import { ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ROOT } from "../project/project";
import { colors } from "../terminal/terminal";

/** Number of log lines printed again when a service exits. */
const LAST_LINES = 8;

/**
 * Runs a service from source under `node --watch`, which restarts it when its source or the kit changes. Prints its output with
 * the service's name in front of each line, and its last lines when it exits by itself.
 *
 * @param labelWidth Width of the names, in characters.
 * @param onExit Called each time the service exits by itself.
 */
export function startService(
  name: string,
  environment: NodeJS.ProcessEnv,
  labelWidth: number,
  onExit: () => void,
): ChildProcess {
  const kit = join(ROOT, "packages/kit/src");
  const child = spawn(
    process.execPath,
    [
      // Not --watch-path=src: in that spelling Node passes every second flag on to the service, which would watch, too.
      ...["--watch-path", "src", "--watch-path", kit, "--watch-preserve-output"],
      ...["--import", require.resolve("tsx"), "src/main.ts"],
    ],
    // `detached` creates a process group to signal: while the service starts, `node --watch` doesn't pass signals on.
    {
      cwd: join(ROOT, "services", name),
      env: environment,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    },
  );
  const prefix = colors.dim(`${name.padEnd(labelWidth)} |`);
  const lastLines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface(stream).on("line", (line) => {
      // Printed by `node --watch`, which then waits for a change.
      if (/^(Failed|Completed) running '/.test(line)) {
        process.stdout.write(renderExit(name, lastLines.splice(0)));
        onExit();
        return;
      }
      process.stdout.write(`${prefix} ${line}\n`);
      if (line.trim() !== "") lastLines.push(line);
      lastLines.splice(0, lastLines.length - LAST_LINES);
    });
  }
  child.once("error", (error) => {
    process.stdout.write(renderExit(name, [error.message]));
    onExit();
  });
  return child;
}

function renderExit(name: string, lines: readonly string[]): string {
  const details = lines.map((line) => `    ${line}\n`).join("");
  return (
    `\n${colors.red(`${name} has exited.`)} Its last lines:\n${details}` +
    `  The other services keep running. A change in services/${name}/src or packages/kit/src restarts it.\n\n`
  );
}

/** Stops a service and its child processes with SIGTERM, after 5 s with SIGKILL. */
export async function stopService(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  process.kill(-child.pid, "SIGTERM");
  const killTimer = setTimeout(() => child.pid && process.kill(-child.pid, "SIGKILL"), 5_000);
  await exited;
  clearTimeout(killTimer);
}
