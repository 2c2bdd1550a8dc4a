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

/** Copies the repository's files (tracked, or untracked and not ignored), and links the installed npm packages into the copy. */
export async function copyWorkspace(from: string, to: string): Promise<void> {
  const { code, stdout, stderr } = await run(
    "git",
    ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    { cwd: from },
  );
  if (code !== 0) throw new Error(`git ls-files failed: ${stderr.trim()}`);
  const files = stdout
    .split("\0")
    // git also lists deleted files whose deletion isn't committed.
    .filter((name) => name !== "" && existsSync(path.join(from, name)));
  for (const file of files) {
    cpSync(path.join(from, file), path.join(to, file), { recursive: true, force: true });
  }
  linkModules(from, to);
}

/** Links each npm package of a copy to the original, except the npm workspaces, which are part of the copy. */
export function linkModules(fromRoot: string, toRoot: string): void {
  const [from, to] = [path.join(fromRoot, "node_modules"), path.join(toRoot, "node_modules")];
  mkdirSync(to);
  for (const name of readdirSync(from)) {
    if (name === WORKSPACES) cpSync(path.join(from, name), path.join(to, name), LINKS_AS_THEY_ARE);
    else symlinkSync(path.join(from, name), path.join(to, name));
  }
}

/** Folder with npm's relative links to the workspaces. */
const WORKSPACES = "@store";
const LINKS_AS_THEY_ARE = { recursive: true, verbatimSymlinks: true } as const;

/** Returns the environment for `./store` in a copy: the state is in the copy, whatever backend the user has. */
export function environmentOf(folder: string): NodeJS.ProcessEnv {
  const {
    PULUMI_BACKEND_URL: _url,
    PULUMI_CONFIG_PASSPHRASE: _passphrase,
    PULUMI_ACCESS_TOKEN: _token,
    ...env
  } = process.env;
  return { ...env, NO_COLOR: "1", STORE_STATE_DIR: path.join(folder, ".store") };
}

/** Result of a command. */
export interface CommandResult {
  readonly code: number;
  /** Standard output and standard error, interleaved. */
  readonly output: string;
}

/** A copy of the repository with its own state, in which a test runs `./store` as a user would. */
export class Workspace {
  private readonly running = new Set<ChildProcess>();

  constructor(
    readonly folder: string,
    readonly stack: string,
    private readonly env: Readonly<Record<string, string>>,
    private readonly onLine: (line: string) => void,
  ) {}

  /** Runs `./store ARGS…`. */
  run(...args: string[]): Promise<CommandResult> {
    return this.start("./store", args);
  }

  /** Runs `./store ARGS…`. @returns its output. @throws CommandFailed */
  async succeed(...args: string[]): Promise<string> {
    return outputOf(`./store ${args.join(" ")}`, await this.run(...args));
  }

  /** Runs a shell script in the workspace. @returns its output. @throws CommandFailed */
  async shell(script: string, ...args: string[]): Promise<string> {
    return outputOf("The script", await this.start("sh", ["-c", script, "sh", ...args]));
  }

  private start(program: string, args: readonly string[]): Promise<CommandResult> {
    return new Promise((resolve, reject) => {
      const child = spawn(program, args, {
        cwd: this.folder,
        env: this.environment,
        // A process group of its own, so that `interrupt` can end it with its children.
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

  /** Replaces a text in a file. @throws an error if the file doesn't contain it. */
  edit(file: string, from: string, to: string): void {
    const target = path.join(this.folder, file);
    const text = readFileSync(target, "utf8");
    if (!text.includes(from)) throw new Error(`${file} has no "${from}".`);
    writeFileSync(target, text.replace(from, to));
  }

  /** Kills the running commands with their children, as a crash of this machine would. */
  kill(): void {
    for (const { pid } of this.running) if (pid !== undefined) signalGroup(pid, "SIGKILL");
  }

  /** Ends the running commands: SIGINT first, SIGKILL after 10 s. */
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

  /** Environment in which `./store` uses this workspace and its state. */
  get environment(): NodeJS.ProcessEnv {
    return { ...environmentOf(this.folder), ...this.env };
  }
}

/** A failed command, with its output. */
export class CommandFailed extends Error {
  constructor(
    message: string,
    readonly output: string,
  ) {
    super(message);
    this.name = "CommandFailed";
  }
}

function outputOf(command: string, { code, output }: CommandResult): string {
  if (code === 0) return output;
  throw new CommandFailed(`${command} ended with exit code ${code}.`, output);
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // ESRCH: the process has ended.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
