import { spawn } from "node:child_process";
import { constants, accessSync, statSync } from "node:fs";
import * as path from "node:path";

import { messageOf } from "@store/docker/messageOf";

export interface RunOptions {
  /** @default the working directory of this process */
  cwd?: string;
  /** Added to the environment of this process. */
  env?: NodeJS.ProcessEnv;
  /** Replaces the environment of this process. @default the environment of this process with `env` */
  environment?: NodeJS.ProcessEnv;
  /** Called with each line of stdout and stderr, without empty lines. */
  onLine?: (line: string) => void;
  /** Called with each line of stderr only, without empty lines. */
  onErrorLine?: (line: string) => void;
  /** Time in milliseconds after which the command is ended by SIGTERM. @default none */
  timeoutMs?: number;
  /** Ends the command by SIGINT when it is aborted. @default never */
  signal?: AbortSignal;
}

export interface RunResult {
  /** Null if a signal or the timeout ended the command, or if it couldn't be started. */
  code: number | null;
  stdout: string;
  /** The system's error message if the command couldn't be started. */
  stderr: string;
}

/**
 * Runs a command and returns its output. Never rejects.
 *
 * Not execa: tsx/cjs can't require it, importing it takes 90 ms, and it doesn't split lines at carriage returns.
 */
export function run(command: string, args: string[], options: RunOptions = {}): Promise<RunResult> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.environment ?? { ...process.env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    // Not spawn's `timeout`: its timer isn't cleared if the command can't be started, and keeps this process alive.
    const timer =
      options.timeoutMs === undefined
        ? undefined
        : setTimeout(() => child.kill(), options.timeoutMs);
    // Ends the command if this process exits. Ctrl-C reaches the command directly. SIGINT makes go and apt-get remove their
    // temporary files.
    const interrupt = (): void => void child.kill("SIGINT");
    process.once("exit", interrupt);
    options.signal?.addEventListener("abort", interrupt);
    if (options.signal?.aborted) interrupt();
    const finish = (result: RunResult): void => {
      clearTimeout(timer);
      process.off("exit", interrupt);
      options.signal?.removeEventListener("abort", interrupt);
      resolve(result);
    };

    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      let rest = "";
      const onLine = options.onLine ?? (name === "stderr" ? options.onErrorLine : undefined);
      child[name].setEncoding("utf8").on("data", (chunk: string) => {
        output[name] += chunk;
        if (onLine === undefined) return;
        // Progress bars end their lines with a carriage return.
        const lines = (rest + chunk).split(/[\r\n]+/);
        rest = lines.pop() ?? "";
        lines.filter((line) => line.trim() !== "").forEach(onLine);
      });
      child[name].on("end", () => {
        if (rest.trim() !== "") onLine?.(rest);
      });
    }
    child.on("error", (error) => {
      finish({ code: null, stdout: output.stdout, stderr: messageOf(error) });
    });
    child.on("close", (code) => {
      finish({ code, ...output });
    });
  });
}

/** The last lines of a command's output, indented for an error message. */
export function lastLines(text: string, count = 8): string {
  return text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "")
    .slice(-count)
    .map((line) => `    ${line}`)
    .join("\n");
}

/** All executables of that name on PATH, in the order of PATH. */
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
