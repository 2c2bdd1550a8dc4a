import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { freePort, repositoryRoot, until } from "@store/kit/testing";

const running = new Set<ChildProcess>();
process.once("exit", () => running.forEach((child) => child.kill("SIGTERM")));

/** A running `./store services` with its data in a folder of the test. */
export class ServicesCommand {
  /** Output on stdout and stderr. */
  output = "";
  /** Exit code. Null if a signal killed the process. */
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #port: number;

  private constructor(folder: string, port: number, args: readonly string[]) {
    this.#folder = folder;
    this.#port = port;
    this.#child = spawn(
      process.execPath,
      [join(repositoryRoot, "store"), "services", "--port", String(port), ...args],
      {
        env: { ...process.env, STORE_STATE_DIR: folder, NO_COLOR: "1" },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    running.add(this.#child);
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on("data", (chunk: Buffer) => (this.output += chunk.toString()));
    this.exited = once(this.#child, "close").then(([code]) => {
      running.delete(this.#child);
      return code as number | null;
    });
  }

  /** @param args Arguments of `./store services`. */
  static async start(folder: string, ...args: readonly string[]): Promise<ServicesCommand> {
    return new ServicesCommand(folder, await freePort(), args);
  }

  get pid(): number {
    return this.#child.pid ?? Number.NaN;
  }

  /** Waits until the command announces that the store is up. @throws Error with the output if it doesn't within 120 s. */
  async up(): Promise<this> {
    try {
      await until(
        "the store is up",
        () => {
          if (this.#child.exitCode !== null) throw new Error("./store services has exited");
          return this.output.includes("The store is up");
        },
        120,
      );
    } catch (error) {
      throw new Error(`./store services did not come up. Its output:\n${this.output}`, {
        cause: error,
      });
    }
    return this;
  }

  fetch(path: string, init?: RequestInit): Promise<Response> {
    return fetch(`http://localhost:${this.#port}${path}`, init);
  }

  /** Headers of a staff request. */
  staffHeaders(): Record<string, string> {
    const token = readFileSync(join(this.#folder, "services", "STAFF_TOKEN"), "utf8");
    return { authorization: `Bearer ${token}`, "content-type": "application/json" };
  }

  /** Stops the command like Ctrl-C and returns its exit code. */
  interrupt(): Promise<number | null> {
    this.#child.kill("SIGINT");
    return this.exited;
  }

  /** Returns the IDs of the services' processes, without the compiler of the command itself. */
  serviceProcesses(): number[] {
    const all = execFileSync("ps", ["-A", "-ww", "-o", "pid=,ppid=,args="], { encoding: "utf8" })
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .map(([pid, parent, ...args]) => ({ pid: Number(pid), parent: Number(parent), args }));
    const descendantsOf = (id: number): number[] =>
      all
        .filter(({ parent, args }) => parent === id && args.includes("src/main.ts"))
        .flatMap(({ pid }) => [pid, ...descendantsOf(pid)]);
    return descendantsOf(this.pid);
  }
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}
