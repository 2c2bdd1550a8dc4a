import { ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { LoadResult } from "../integration/support/load";

/** Load from a process of its own, which may be in another network namespace than this one. */
export class LoadProcess {
  private output = "";
  private readonly ended: Promise<unknown>;

  private constructor(private readonly child: ChildProcess) {
    child.stdout?.on("data", (data: Buffer) => (this.output += data.toString()));
    this.ended = once(child, "close");
  }

  /** @param prefix Command line that runs another command where the URL can be reached. */
  static on(url: string, prefix: readonly string[]): LoadProcess {
    const [program, ...args] = [
      ...prefix,
      process.execPath,
      ...["--require", "ts-node/register/transpile-only"],
      join(__dirname, "loadCommand.ts"),
      url,
    ];
    const cwd = resolve(__dirname, "../..");
    return new LoadProcess(spawn(program, args, { cwd, stdio: ["pipe", "pipe", "inherit"] }));
  }

  async stop(): Promise<LoadResult> {
    this.child.stdin?.end();
    await this.ended;
    return JSON.parse(this.output) as LoadResult;
  }
}
