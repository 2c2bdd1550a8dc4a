import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, Server, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Proxy for the Docker daemon's socket that can be closed, as if the daemon had stopped. The daemon itself isn't affected. */
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

  /** Waits for a request that matches. @throws an error after five minutes. */
  async whenSeen(text: RegExp): Promise<void> {
    for (
      const end = Date.now() + 300_000;
      Date.now() < end;
      await new Promise((resolve) => setTimeout(resolve, 50))
    ) {
      if (text.test(this.seen)) return;
    }
    throw new Error(`no request matched ${String(text)} within five minutes`);
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
      // `cut` may end either side in the middle of a write.
      socket.on("error", () => socket.destroy());
      socket.on("close", () => this.sockets.delete(socket));
    }
    client.on("data", (data: Buffer) => (this.seen += data.toString("latin1")));
    client.pipe(daemon).pipe(client);
  }
}
