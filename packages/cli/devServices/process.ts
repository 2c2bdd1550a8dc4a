import { ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ROOT } from "../project/project";
import { colors } from "../terminal/terminal";

/** Lines of a service that has ended by itself. */
const EVIDENCE = 8;

/**
 * Runs a service from its sources; a change in them, or in the kit, starts it anew. What it prints is printed under its name,
 * and why it has ended, if it ends by itself.
 *
 * @param width of the names, in characters.
 * @param onEnd is called each time that it has ended by itself.
 */
export function startService(
  name: string,
  environment: NodeJS.ProcessEnv,
  width: number,
  onEnd: () => void,
): ChildProcess {
  const kit = join(ROOT, "packages/kit/src");
  const child = spawn(
    process.execPath,
    [
      // Not --watch-path=src: Node would pass every second of those on, and what it starts would watch, too.
      ...["--watch-path", "src", "--watch-path", kit, "--watch-preserve-output"],
      ...["--import", require.resolve("tsx"), "src/main.ts"],
    ],
    // A group of its own: what watches passes no signal on while what it watches is starting.
    {
      cwd: join(ROOT, "services", name),
      env: environment,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    },
  );
  const prefix = colors.dim(`${name.padEnd(width)} |`);
  const last: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface(stream).on("line", (line) => {
      // It is Node that says so, and waits for a change then.
      if (/^(Failed|Completed) running '/.test(line)) {
        process.stdout.write(ending(name, last.splice(0)));
        onEnd();
        return;
      }
      process.stdout.write(`${prefix} ${line}\n`);
      if (line.trim() !== "") last.push(line);
      last.splice(0, last.length - EVIDENCE);
    });
  }
  child.once("error", (error) => {
    process.stdout.write(ending(name, [error.message]));
    onEnd();
  });
  return child;
}

function ending(name: string, lines: readonly string[]): string {
  const evidence = lines.map((line) => `    ${line}\n`).join("");
  return (
    `\n${colors.red(`${name} has ended by itself.`)} Its last lines:\n${evidence}` +
    `  The others go on. A change in services/${name}/src or packages/kit/src starts it again.\n\n`
  );
}

/** Ends it and what it has started, within 5 s. */
export async function stopService(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  process.kill(-child.pid, "SIGTERM");
  const late = setTimeout(() => child.pid && process.kill(-child.pid, "SIGKILL"), 5_000);
  await ended;
  clearTimeout(late);
}
