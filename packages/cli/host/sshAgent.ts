import { ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { Agent, AgentOptions } from "node:http";
import { Socket } from "node:net";
import { Duplex } from "node:stream";
import { RemoteHost, sshArguments } from "./remoteHost";

/** Maximum number of connections. They are reused, because a login is slow and sshd limits concurrent ones. */
const CONNECTIONS = 4;

/** Connects to Docker's API over ssh as the docker command does: with `docker system dial-stdio` on the host. */
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
    let stderr = "";
    child.stderr.on("data", (data: Buffer) => (stderr = (stderr + data.toString()).slice(-2000)));
    const socket = new SshSocket(child);
    child.once("error", (error) => socket.destroy(error));
    child.once("close", (code) => {
      if (code !== 0) socket.destroy(new Error(stderr.trim() || `ssh exited with code ${code}`));
    });
    socket.once("close", () => child.kill());
    return socket;
  }
}

/** The stdin and stdout of ssh as a socket for the HTTP client. */
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
    // The exit of the process reports a broken pipe, with its cause.
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
    for (const handle of this.handles()) handle.ref();
    return this;
  }

  /** The agent calls it for idle connections, so that they don't keep this process alive. ssh exits together with it. */
  unref(): this {
    for (const handle of this.handles()) handle.unref();
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
