import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, Server, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A socket in front of the Docker daemon's own that can be cut, as if the daemon went away; the real one isn't touched. */
export class DaemonProxy {
  private readonly sockets = new Set<Socket>();
  private seen = "";

  private constructor(
    private readonly folder: string,
    private readonly server: Server,
  ) {}

  static async start(): Promise<DaemonProxy> {
    const folder = mkdtempSync(join(tmpdir(), "daemon-"));
    const server = createServer();
    const proxy = new DaemonProxy(folder, server);
    server.on("connection", (client) => proxy.pass(client));
    await new Promise<void>((listening) => server.listen(join(folder, "docker.sock"), listening));
    return proxy;
  }

  get host(): string {
    return `unix://${join(this.folder, "docker.sock")}`;
  }

  /** Waits for a request that contains something. */
  async whenSeen(text: RegExp): Promise<void> {
    for (
      const end = Date.now() + 60_000;
      Date.now() < end;
      await new Promise((resolve) => setTimeout(resolve, 50))
    ) {
      if (text.test(this.seen)) return;
    }
    throw new Error(`no request ${String(text)} came`);
  }

  async cut(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise<void>((closed) => this.server.close(() => closed()));
    rmSync(this.folder, { recursive: true, force: true });
  }

  private pass(client: Socket): void {
    const daemon = connect("/var/run/docker.sock");
    for (const socket of [client, daemon]) {
      this.sockets.add(socket);
      // Either side may end in the middle of a write; that is what this is for.
      socket.on("error", () => socket.destroy());
      socket.on("close", () => this.sockets.delete(socket));
    }
    client.on("data", (data: Buffer) => (this.seen += data.toString("latin1")));
    client.pipe(daemon).pipe(client);
  }
}
