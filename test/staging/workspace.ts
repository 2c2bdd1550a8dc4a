import { ChildProcess, spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import * as path from "node:path";
import { run } from "@store/toolchain/system/run";

/** Copies the files of a checkout that git tracks or would track, and links the installed npm packages into the copy. */
export async function copyCheckout(from: string, to: string): Promise<void> {
  const { code, stdout, stderr } = await run(
    "git",
    ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    { cwd: from },
  );
  if (code !== 0) throw new Error(`git can't list the checkout's files: ${stderr.trim()}`);
  const files = stdout
    .split("\0")
    // What was deleted and not committed is still on git's list.
    .filter((name) => name !== "" && existsSync(path.join(from, name)));
  for (const file of files) {
    cpSync(path.join(from, file), path.join(to, file), { recursive: true, force: true });
  }
  linkModules(path.join(from, "node_modules"), path.join(to, "node_modules"));
}

/** Links each npm package to the original, except for the workspaces: those are the copy's own. */
function linkModules(from: string, to: string): void {
  mkdirSync(to);
  for (const name of readdirSync(from)) {
    if (name === WORKSPACES) cpSync(path.join(from, name), path.join(to, name), LINKS_AS_THEY_ARE);
    else symlinkSync(path.join(from, name), path.join(to, name));
  }
}

/** npm links the workspaces there by relative paths. */
const WORKSPACES = "@store";
const LINKS_AS_THEY_ARE = { recursive: true, verbatimSymlinks: true } as const;

/** For `./store` in a copy: its state goes into the copy, whatever backend the user has. */
export function environmentOf(folder: string): NodeJS.ProcessEnv {
  const {
    PULUMI_BACKEND_URL: _url,
    PULUMI_CONFIG_PASSPHRASE: _passphrase,
    PULUMI_ACCESS_TOKEN: _token,
    ...env
  } = process.env;
  return { ...env, NO_COLOR: "1", STORE_STATE_DIR: path.join(folder, ".store") };
}

/** How a command ended. */
export interface Ran {
  readonly code: number;
  /** Standard output and standard error, as they came. */
  readonly output: string;
}

/** A copy of the checkout, used as a person would use it: by `./store`, on one stack with a state of its own. */
export class Checkout {
  private readonly running = new Set<ChildProcess>();

  constructor(
    readonly folder: string,
    readonly stack: string,
    private readonly env: Readonly<Record<string, string>>,
    private readonly onLine: (line: string) => void,
  ) {}

  /** `./store ARGS…`, whatever its exit code. */
  run(...args: string[]): Promise<Ran> {
    return this.start("./store", args);
  }

  /** The same; anything else than success is an error with the end of what was printed. */
  async succeed(...args: string[]): Promise<string> {
    return outputOf(`./store ${args.join(" ")}`, await this.run(...args));
  }

  /** A script for sh, in the checkout's folder; it must succeed, too. */
  async shell(script: string): Promise<string> {
    return outputOf("The script", await this.start("sh", ["-c", script]));
  }

  private start(program: string, args: readonly string[]): Promise<Ran> {
    return new Promise((resolve, reject) => {
      const child = spawn(program, args, {
        cwd: this.folder,
        env: this.environment,
        // A group of its own, so that it can be ended with all that it has started.
        detached: true,
        stdio: ["ignore", "pipe", "pipe"],
      });
      this.running.add(child);
      let output = "";
      const take = (chunk: Buffer): void => {
        output += chunk.toString();
        chunk
          .toString()
          .split("\n")
          .filter((line) => line.trim() !== "")
          .forEach(this.onLine);
      };
      child.stdout.on("data", take);
      child.stderr.on("data", take);
      child.once("error", reject);
      child.once("close", (code) => {
        this.running.delete(child);
        resolve({ code: code ?? 130, output });
      });
    });
  }

  /** Replaces a text that must be there. */
  edit(file: string, from: string, to: string): void {
    const place = path.join(this.folder, file);
    const text = readFileSync(place, "utf8");
    if (!text.includes(from)) throw new Error(`${file} has no "${from}".`);
    writeFileSync(place, text.replace(from, to));
  }

  /** Ends what runs: asks first, and doesn't wait long. */
  async interrupt(): Promise<void> {
    for (const [signal, limit] of [
      ["SIGINT", 10_000],
      ["SIGKILL", 2_000],
    ] as const) {
      const left = [...this.running];
      if (left.length === 0) return;
      const ended = Promise.all(
        left.map((child) => new Promise((resolve) => child.once("close", resolve))),
      );
      for (const { pid } of left) if (pid !== undefined) signalGroup(pid, signal);
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, limit).unref())]);
    }
  }

  /** In which `./store` uses this copy and its state. */
  get environment(): NodeJS.ProcessEnv {
    return { ...environmentOf(this.folder), ...this.env };
  }
}

/** A command that failed, with what it printed. */
export class CommandFailed extends Error {
  constructor(
    message: string,
    readonly output: string,
  ) {
    super(message);
    this.name = "CommandFailed";
  }
}

function outputOf(command: string, { code, output }: Ran): string {
  if (code === 0) return output;
  throw new CommandFailed(`${command} ended with exit code ${code}.`, output);
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // It may have ended meanwhile.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
