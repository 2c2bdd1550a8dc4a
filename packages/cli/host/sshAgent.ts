import { ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { Agent, AgentOptions } from "node:http";
import { Socket } from "node:net";
import { Duplex } from "node:stream";
import { RemoteHost, sshArguments } from "./remoteHost";

/** Logging in takes a moment, and the host counts connections: a few are kept and used in turn. */
const CONNECTIONS = 4;

/** Carries Docker's API over ssh as the docker command does: its own `docker system dial-stdio` on the other side. */
export class SshAgent extends Agent {
  constructor(
    private readonly host: RemoteHost,
    options: AgentOptions = {},
  ) {
    super({ keepAlive: true, maxSockets: CONNECTIONS, ...options });
  }

  override createConnection(): Duplex {
    const child = spawn(
      "ssh",
      ["-o", "BatchMode=yes", ...sshArguments(this.host), "docker", "system", "dial-stdio"],
      { stdio: ["pipe", "pipe", "pipe"] },
    );
    let said = "";
    child.stderr.on("data", (data: Buffer) => (said = (said + data.toString()).slice(-2000)));
    const socket = new SshSocket(child);
    child.once("error", (error) => socket.destroy(error));
    child.once("close", (code) => {
      if (code !== 0) socket.destroy(new Error(said.trim() || `ssh ended with ${code}`));
    });
    socket.once("close", () => child.kill());
    return socket;
  }
}

/** What the HTTP client expects of a socket beside reading and writing. */
class SshSocket extends Duplex {
  private readonly input: NodeJS.WritableStream;
  private readonly output: NodeJS.ReadableStream;

  constructor(private readonly child: ChildProcessWithoutNullStreams) {
    super();
    const { stdin: input, stdout: output } = child;
    this.input = input;
    this.output = output;
    output.on("data", (chunk: Buffer) => {
      if (!this.push(chunk)) output.pause();
    });
    output.once("end", () => this.push(null));
    // A broken pipe is told by the end of the process, with its reason.
    input.on("error", () => undefined);
  }

  override _read(): void {
    this.output.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.input.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.input.end(done);
  }

  setKeepAlive(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  ref(): this {
    for (const one of this.handles()) one.ref();
    return this;
  }

  /** Said by the agent of a connection that is kept for the next call: our process may end meanwhile, and ssh ends with it. */
  unref(): this {
    for (const one of this.handles()) one.unref();
    return this;
  }

  private handles(): { ref(): unknown; unref(): unknown }[] {
    const { child } = this;
    const pipes = [child.stdin, child.stdout, child.stderr].filter(
      (pipe) => pipe instanceof Socket,
    );
    return [child, ...pipes];
  }
}
