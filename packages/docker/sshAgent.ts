import { ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { Agent, AgentOptions } from "node:http";
import { Socket } from "node:net";
import { Duplex } from "node:stream";

/** Maximum number of connections. They are reused, because a login is slow and sshd limits concurrent ones. */
const CONNECTIONS = 4;

/** A Docker daemon behind ssh. */
export interface SshTarget {
  /** Arguments of ssh that select the machine, the user and the key. */
  readonly args: readonly string[];
  /** Path of the daemon's socket on the machine. @default that machine's own default */
  readonly socket?: string;
  /** Options of ssh that override the defaults of this module. @default none */
  readonly options?: readonly string[];
  /** Working directory of ssh, for relative paths in its options. @default this process's */
  readonly folder?: string;
}

/**
 * Parses an address like ssh://user@host:port/path/of/docker.sock, with the user's ssh configuration for what it leaves out.
 *
 * @throws Error if the address is invalid
 */
export function sshTarget(host: string): SshTarget {
  const invalid = `${host} is not an ssh://[user@]host[:port] address`;
  if (!URL.canParse(host)) throw new Error(invalid);
  const { username, password, hostname, port, pathname, search } = new URL(host);
  if (hostname === "" || password !== "" || search !== "") throw new Error(invalid);
  return {
    args: [
      ...(username === "" ? [] : ["-l", decodeURIComponent(username)]),
      ...(port === "" ? [] : ["-p", port]),
      "--",
      hostname.replace(/^\[(.*)\]$/, "$1"),
    ],
    ...(pathname.length > 1 && { socket: pathname }),
  };
}

/** Connects to Docker's API over ssh as the docker command does: with `docker system dial-stdio` on the host. */
export class SshAgent extends Agent {
  constructor(
    private readonly target: SshTarget,
    options: AgentOptions = {},
  ) {
    super({ keepAlive: true, maxSockets: CONNECTIONS, ...options });
  }

  override createConnection(): Duplex {
    const { args, socket: path, options = [], folder: cwd } = this.target;
    const docker = ["docker", ...(path === undefined ? [] : ["--host", `unix://${path}`])];
    // Ssh uses the first of several values of an option.
    const ssh = [...options, ...SSH_OPTIONS, ...args];
    const child = spawn("ssh", [...ssh, ...docker, "system", "dial-stdio"], {
      cwd,
      stdio: ["pipe", "pipe", "pipe"],
    });
    let stderr = "";
    child.stderr.on("data", (data: Buffer) => (stderr = (stderr + data.toString()).slice(-2000)));
    const socket = new SshSocket(child);
    child.once("error", (error) => socket.destroy(error));
    child.once("close", (code) => {
      // Only now, because after the end of the output the HTTP client knows nothing but that the connection was closed.
      if (code === 0) socket.push(null);
      else socket.destroy(new Error(stderr.trim() || `ssh exited with code ${code}`));
    });
    socket.once("close", () => child.kill());
    return socket;
  }
}

// BatchMode: a prompt for a password would be repeated by each connection, and hidden by the engine's progress.
const SSH_OPTIONS = ["-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=30"];

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
    // The exit of the process, which follows, has the cause of a broken pipe. Therefore the callbacks below ignore errors, too.
    input.on("error", () => undefined);
  }

  override _read(): void {
    this.output.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.input.write(chunk, () => done());
  }

  override _final(done: () => void): void {
    this.input.end(() => done());
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
