import { randomUUID } from "node:crypto";
import * as http from "node:http";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** An answer of the store, asked from outside. */
interface Answer {
  readonly status: number;
  readonly body: string;
}

/**
 * Somebody out there, who sees the store's public address and nothing else.
 *
 * @param from The address that they come from: another one than 127.0.0.1 is a stranger to the security groups.
 */
export class Customer {
  constructor(
    private readonly address: string,
    private readonly from = "127.0.0.9",
  ) {}

  /** Buys one piece of the first product that there is, and waits for the confirmation. @returns the order's id. */
  async buy(): Promise<string> {
    const products = await this.json<{ items: { sku: string; available: number }[] }>(
      "/api/inventory/products?limit=20",
    );
    const product = products.items.find(({ available }) => available > 0);
    if (product === undefined) throw new Error("The catalogue has nothing that could be bought.");
    const placed = await this.ask("POST", "/api/orders", {
      customer: {
        name: "A Customer",
        email: "customer@example.com",
        address: { line1: "1 Harbour Street", city: "Sydney", postcode: "2000", country: "AU" },
      },
      items: [{ sku: product.sku, quantity: 1 }],
      payment: { token: "tok_ok" },
    });
    if (placed.status !== 202)
      throw new Error(`The order was answered with ${placed.status}: ${placed.body.slice(0, 300)}`);
    const { id } = JSON.parse(placed.body) as { id: string };
    await this.untilStatus(id, "confirmed");
    return id;
  }

  /** @throws an error unless the order has this status within half a minute. */
  async untilStatus(id: string, wanted: string): Promise<void> {
    const deadline = Date.now() + 30_000;
    let status = "";
    while (Date.now() < deadline) {
      ({ status } = await this.json<{ status: string }>(`/api/orders/${id}`));
      if (status === wanted) return;
      await sleep(200);
    }
    throw new Error(`The order ${id} is ${status}, and not ${wanted} within 30 s.`);
  }

  /** Waits until the store answers. @returns how long that took, in seconds. */
  async untilOpen(limitMs: number): Promise<number> {
    const started = Date.now();
    let last = "nothing";
    while (Date.now() - started < limitMs) {
      const answer = await this.ask("GET", "/api/inventory/products?limit=1").catch(
        (error: unknown) => {
          last = error instanceof Error ? error.message : String(error);
          return undefined;
        },
      );
      if (answer?.status === 200) return (Date.now() - started) / 1000;
      if (answer !== undefined) last = `status ${answer.status}`;
      await sleep(300);
    }
    throw new Error(
      `The store doesn't answer at ${this.address} within ${limitMs / 1000} s (${last}).`,
    );
  }

  /** Asks again and again until it is stopped, and counts. */
  browse(clients: number): () => Promise<{ requests: number; lost: string[] }> {
    let stopped = false;
    let requests = 0;
    const lost: string[] = [];
    const client = async (): Promise<void> => {
      while (!stopped) {
        requests++;
        const answer = await this.ask("GET", "/api/inventory/products?limit=5").catch(
          (error: unknown) => error as Error,
        );
        if (answer instanceof Error) lost.push(answer.message);
        else if (answer.status !== 200) lost.push(`status ${answer.status}`);
        await sleep(50);
      }
    };
    const all = Promise.all(Array.from({ length: clients }, client));
    return async () => {
      stopped = true;
      await all;
      return { requests, lost };
    };
  }

  /** Whether a connection to this port comes through and something speaks. */
  reaches(port: number): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect({ host: this.address, port, localAddress: this.from, timeout: 3000 });
      const end = (reached: boolean) => (): void => {
        socket.destroy();
        resolve(reached);
      };
      socket.once("data", end(true));
      socket.once("timeout", end(false));
      socket.once("error", end(false));
      socket.once("close", end(false));
      // A web server waits for us to begin, an SSH server doesn't.
      socket.once("connect", () => socket.write("GET / HTTP/1.0\r\n\r\n"));
    });
  }

  private async json<T>(path: string): Promise<T> {
    const { status, body } = await this.ask("GET", path);
    if (status !== 200)
      throw new Error(`${path} was answered with ${status}: ${body.slice(0, 300)}`);
    return JSON.parse(body) as T;
  }

  private ask(method: "GET" | "POST", path: string, content?: object): Promise<Answer> {
    const text = content && JSON.stringify(content);
    return new Promise((resolve, reject) => {
      const request = http.request(
        {
          host: this.address,
          port: 80,
          method,
          path,
          localAddress: this.from,
          timeout: 10_000,
          agent: false,
          headers: {
            ...(text !== undefined && {
              "content-type": "application/json",
              "idempotency-key": randomUUID(),
            }),
          },
        },
        (response) => {
          let body = "";
          response.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
          response.once("end", () => resolve({ status: response.statusCode ?? 0, body }));
          response.once("error", reject);
        },
      );
      request.once("timeout", () => request.destroy(new Error("no answer within 10 s")));
      request.once("error", reject);
      request.end(text);
    });
  }
}
