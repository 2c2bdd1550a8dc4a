import { createServer, connect, Server, Socket } from "node:net";
import { allows, portsOf, Route } from "./rules";

/** Ports that refuse everybody, whatever the rules say; or none that says a word to whoever connects. */
export type ClosedPorts = readonly number[] | "silent";

/**
 * The stand-in for Azure's edge: listens on the public addresses (127.77.x.y, which only this machine has) and passes on
 * what the security groups allow to the machines. What they don't allow is cut off; Azure would say nothing at all, which a
 * listener on a local address can't do.
 */
export class Firewall {
  private ways: readonly Route[] = [];
  private readonly listeners = new Map<string, Server>();
  private readonly open = new Set<Socket>();

  /**
   * @param addressOf The address in Docker of a machine, by its vmId.
   * @param closed For the faults.
   */
  constructor(
    private readonly addressOf: (machine: string) => Promise<string | undefined>,
    private readonly closed: () => ClosedPorts,
  ) {}

  /** @throws an error that names the address if it can't be listened on. */
  async follow(ways: readonly Route[]): Promise<void> {
    this.ways = ways;
    const wanted = new Set(
      ways.flatMap((way) => portsOf(way).map((port) => `${way.address}:${port}`)),
    );
    for (const [place, server] of this.listeners) {
      if (wanted.has(place)) continue;
      this.listeners.delete(place);
      server.close();
    }
    for (const place of wanted) {
      if (!this.listeners.has(place)) this.listeners.set(place, await this.listen(place));
    }
  }

  close(): void {
    for (const server of this.listeners.values()) server.close();
    for (const socket of this.open) socket.destroy();
    this.listeners.clear();
  }

  private async listen(place: string): Promise<Server> {
    const [address = "", port = ""] = place.split(":");
    const server = createServer((socket) => void this.pass(socket, address, Number(port)));
    await listening(server, address, Number(port)).catch((error: unknown) => {
      throw new Error(whyNot(place, error as NodeJS.ErrnoException));
    });
    return server;
  }

  private async pass(outside: Socket, address: string, port: number): Promise<void> {
    this.open.add(outside);
    outside.once("close", () => this.open.delete(outside));
    // A connection that breaks off is nobody's mistake.
    outside.on("error", () => undefined);
    const closed = this.closed();
    if (closed === "silent") {
      // Read, so that we notice when they give up.
      outside.resume();
      return;
    }
    const way = this.ways.find((one) => one.address === address);
    const target =
      way !== undefined && !closed.includes(port) && allows(way, outside.remoteAddress ?? "", port)
        ? await this.addressOf(way.machine)
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

/** Whether a public address could be played with this port; what is in the way, in words for the user. */
export async function listenProblem(address: string, port: number): Promise<string | undefined> {
  const probe = createServer();
  try {
    await listening(probe, address, port);
  } catch (error) {
    return whyNot(`${address}:${port}`, error as NodeJS.ErrnoException);
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

function whyNot(place: string, { code, message }: NodeJS.ErrnoException): string {
  if (code === "EADDRINUSE") {
    return `${place} plays a public address of the rehearsal, and something on this machine listens on that port of every address. Stop it for as long as the rehearsal runs (\`ss -ltnp\` names it).`;
  }
  if (code === "EACCES") {
    return `${place} plays a public address of the rehearsal, and this user may not listen on a port below 1024. Run it as root, or \`sudo sysctl net.ipv4.ip_unprivileged_port_start=22\`.`;
  }
  return `${place} can't be listened on: ${message}`;
}
