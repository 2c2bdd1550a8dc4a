import type { Readable } from "node:stream";
import { plain } from "./events";

/** Maximum number of kept characters. */
const KEPT = 20_000;

/**
 * Passes the engine's stderr on, except for its final error: the CLI's own message (diagnostics/) contains it, and it would be printed
 * twice.
 */
export class EngineStderr {
  /** The end of the output. */
  text = "";
  private incomplete = "";
  /** The final error. Undefined before it begins. */
  private error: string | undefined;

  /** @param stream Null if the engine writes to this process' own stderr. */
  constructor(
    stream: Readable | null,
    private readonly write: (text: string) => void = (text) => void process.stderr.write(text),
  ) {
    stream?.setEncoding("utf8").on("data", (chunk: string) => this.add(chunk));
  }

  /** Call it when the engine has exited. Without a failure, nobody else prints the error. */
  end(exitCode: number): void {
    this.addLine(this.incomplete);
    this.incomplete = "";
    if (exitCode === 0 && this.error !== undefined) this.write(this.error);
  }

  private add(chunk: string): void {
    this.text = (this.text + chunk).slice(-KEPT);
    const lines = (this.incomplete + chunk).split("\n");
    this.incomplete = lines.pop() ?? "";
    for (const line of lines) this.addLine(`${line}\n`);
  }

  private addLine(line: string): void {
    if (this.error === undefined && /^error: /.test(plain(line))) this.error = "";
    if (this.error === undefined) this.write(line);
    else this.error += line;
  }
}
