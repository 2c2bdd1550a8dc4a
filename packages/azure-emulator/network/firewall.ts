import { createServer, connect, Server, Socket } from "node:net";
import { allows, portsOf, Route } from "./rules";

/** Ports closed by a fault, whatever the rules say; "silent" accepts connections but never answers. */
export type ClosedPorts = readonly number[] | "silent";

/**
 * Emulates Azure's edge: listens on the public IP addresses (127.77.x.y, which only this machine reaches) and forwards the
 * connections that the security groups allow to the VMs. Resets all others, where Azure would drop the packets: a listener on a
 * local address can't do that.
 */
export class Firewall {
  private routes: readonly Route[] = [];
  private readonly listeners = new Map<string, Server>();
  private readonly open = new Set<Socket>();

  /**
   * @param addressOf Returns a VM's IP address in the Docker network, by its vmId.
   * @param closed Returns the ports closed by the active faults.
   */
  constructor(
    private readonly addressOf: (machine: string) => Promise<string | undefined>,
    private readonly closed: () => ClosedPorts,
  ) {}

  /** Listens on the ports of these routes, and applies their rules to new connections. @throws an error if a port is in use. */
  async setRoutes(routes: readonly Route[]): Promise<void> {
    this.routes = routes;
    const wanted = new Set(
      routes.flatMap((route) => portsOf(route).map((port) => `${route.address}:${port}`)),
    );
    for (const [endpoint, server] of this.listeners) {
      if (wanted.has(endpoint)) continue;
      this.listeners.delete(endpoint);
      server.close();
    }
    for (const endpoint of wanted) {
      if (!this.listeners.has(endpoint)) this.listeners.set(endpoint, await this.listen(endpoint));
    }
  }

  close(): void {
    for (const server of this.listeners.values()) server.close();
    for (const socket of this.open) socket.destroy();
    this.listeners.clear();
  }

  private async listen(endpoint: string): Promise<Server> {
    const [address = "", port = ""] = endpoint.split(":");
    const server = createServer((socket) => void this.forward(socket, address, Number(port)));
    await listening(server, address, Number(port)).catch((error: unknown) => {
      throw new Error(listenMessage(endpoint, error as NodeJS.ErrnoException));
    });
    return server;
  }

  private async forward(outside: Socket, address: string, port: number): Promise<void> {
    this.open.add(outside);
    outside.once("close", () => this.open.delete(outside));
    // Clients may disconnect at any time.
    outside.on("error", () => undefined);
    const closed = this.closed();
    if (closed === "silent") {
      // Read, to notice when the client disconnects.
      outside.resume();
      return;
    }
    const route = this.routes.find((one) => one.address === address);
    const target =
      route !== undefined &&
      !closed.includes(port) &&
      allows(route, outside.remoteAddress ?? "", port)
        ? await this.addressOf(route.machine)
        : undefined;
    if (target === undefined) {
      outside.resetAndDestroy();
      return;
    }
    const inside = connect({ host: target, port, allowHalfOpen: true });
    outside.allowHalfOpen = true;
    inside.on("error", () => outside.resetAndDestroy());
    outside.once("close", () => inside.destroy());
    inside.once("close", () => outside.destroy());
    outside.setNoDelay(true);
    inside.setNoDelay(true);
    outside.pipe(inside);
    inside.pipe(outside);
  }
}

/** Returns a message for the user if the emulator can't listen on this address and port. */
export async function listenProblem(address: string, port: number): Promise<string | undefined> {
  const probe = createServer();
  try {
    await listening(probe, address, port);
  } catch (error) {
    return listenMessage(`${address}:${port}`, error as NodeJS.ErrnoException);
  }
  await new Promise((closed) => probe.close(closed));
  return undefined;
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, resolve);
  });
}

function listenMessage(endpoint: string, { code, message }: NodeJS.ErrnoException): string {
  if (code === "EADDRINUSE") {
    return `The emulator needs ${endpoint} for a public IP address, but another process listens on this port on all addresses. Stop the process during the rehearsal (\`ss -ltnp\` names it).`;
  }
  if (code === "EACCES") {
    return `The emulator needs ${endpoint} for a public IP address, but this user may not listen on ports below 1024. Run as root, or run \`sudo sysctl net.ipv4.ip_unprivileged_port_start=22\` first.`;
  }
  return `The emulator can't listen on ${endpoint}: ${message}`;
}
