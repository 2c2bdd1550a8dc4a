import { spawn } from "node:child_process";
import { constants, accessSync, statSync } from "node:fs";
import * as path from "node:path";

import { messageOf } from "@store/docker/messageOf";

export interface RunOptions {
  cwd?: string;
  /** Added to this process's environment. */
  env?: Record<string, string>;
  /** Called with each line of standard output and standard error as it comes. */
  onLine?: (line: string) => void;
  timeoutMs?: number;
}

export interface RunResult {
  /** Null when a signal or the time limit ended the command, or when it could not be started. */
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a command to its end. A failure of the command is a result, not an exception. */
export function run(command: string, args: string[], options: RunOptions = {}): Promise<RunResult> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    // Not Node's own limit, which goes on for a command that couldn't be started, and holds up our end.
    const limit =
      options.timeoutMs === undefined
        ? undefined
        : setTimeout(() => child.kill(), options.timeoutMs);
    // A Ctrl-C on the terminal reaches the child by itself; any other end of this process must not leave it behind.
    // An interrupt, because that is what makes go, apt-get and the like remove their temporary files.
    const endWithUs = (): void => void child.kill("SIGINT");
    process.once("exit", endWithUs);
    const ended = (result: RunResult): void => {
      clearTimeout(limit);
      process.off("exit", endWithUs);
      resolve(result);
    };

    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      let rest = "";
      child[name].setEncoding("utf8").on("data", (chunk: string) => {
        output[name] += chunk;
        if (options.onLine === undefined) return;
        // Progress bars end a line with a carriage return.
        const lines = (rest + chunk).split(/[\r\n]+/);
        rest = lines.pop() ?? "";
        lines.filter((line) => line.trim() !== "").forEach(options.onLine);
      });
      child[name].on("end", () => {
        if (rest.trim() !== "") options.onLine?.(rest);
      });
    }
    child.on("error", (error) => {
      ended({ code: null, stdout: output.stdout, stderr: messageOf(error) });
    });
    child.on("close", (code) => {
      ended({ code, ...output });
    });
  });
}

/** The end of a command's output, for an error message: the last lines are where the cause is. */
export function lastLines(text: string, count = 8): string {
  return text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "")
    .slice(-count)
    .map((line) => `    ${line}`)
    .join("\n");
}

/** Every executable of that name on PATH, in PATH's order. */
export function findAllOnPath(name: string, searchPath = process.env.PATH ?? ""): string[] {
  return searchPath
    .split(path.delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => path.join(folder, name))
    .filter(isExecutable);
}

export function findOnPath(name: string, searchPath = process.env.PATH ?? ""): string | undefined {
  return findAllOnPath(name, searchPath)[0];
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
