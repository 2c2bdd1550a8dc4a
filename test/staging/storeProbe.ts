import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { messageOf } from "@store/docker/messageOf";
import { ShopClient } from "../support/shopClient";

const ORDER_LIMIT_MS = 120_000;

/** Counted requests of `StoreProbe.browse`. */
export interface BrowseResult {
  readonly requests: number;
  /** The error of each lost request. */
  readonly lost: readonly string[];
}

/** A name that leads nowhere on this machine, and the root certificate of its certificate. */
export interface NamedSite {
  readonly name: string;
  readonly root: string;
}

/** Checks the store from outside, at its public IP address only. */
export class StoreProbe {
  private readonly client: ShopClient;

  /**
   * @param from Source IP address. The security groups allow SSH from 127.0.0.1 only. @default a customer's, 127.0.0.9
   * @param site Name for requests by HTTPS. @default requests by HTTP to the address
   */
  constructor(
    private readonly address: string,
    private readonly from = "127.0.0.9",
    private readonly site?: NamedSite,
  ) {
    this.client = site
      ? new ShopClient(`https://${site.name}`, { from, at: address, root: site.root })
      : new ShopClient(`http://${address}`, { from });
  }

  /** Buys one piece of the first available product, and waits for the confirmation. @returns the order's ID. */
  async buy(): Promise<string> {
    const products = await this.client.getJson<{ items: { sku: string; available: number }[] }>(
      "/api/inventory/products?limit=20",
    );
    const product = products.items.find(({ available }) => available > 0);
    if (product === undefined) throw new Error("No product is available.");
    const { status, text } = await this.client.postJson("/api/orders", {
      customer: {
        name: "A Customer",
        email: "customer@example.com",
        address: { line1: "1 Harbour Street", city: "Sydney", postcode: "2000", country: "AU" },
      },
      items: [{ sku: product.sku, quantity: 1 }],
      payment: { token: "tok_ok" },
    });
    if (status !== 202) {
      throw new Error(`POST /api/orders returned ${status}: ${text.slice(0, 300)}`);
    }
    const { id } = JSON.parse(text) as { id: string };
    await this.untilStatus(id, "confirmed");
    return id;
  }

  /** Waits until the order has this status. @throws an error after two minutes. */
  async untilStatus(id: string, wanted: string): Promise<void> {
    const deadline = Date.now() + ORDER_LIMIT_MS;
    let status = "";
    while (Date.now() < deadline) {
      ({ status } = await this.client.getJson<{ status: string }>(`/api/orders/${id}`));
      if (status === wanted) return;
      await sleep(200);
    }
    throw new Error(
      `The order ${id} is ${status} instead of ${wanted} after ${ORDER_LIMIT_MS / 1000} s.`,
    );
  }

  /** Waits until the store serves the product list. @returns the waiting time in seconds. */
  async untilServing(limitMs: number): Promise<number> {
    const started = Date.now();
    let last = "no attempt";
    while (Date.now() - started < limitMs) {
      const status = await this.productsStatus(1).catch((error: unknown) => messageOf(error));
      if (status === 200) return (Date.now() - started) / 1000;
      last = typeof status === "number" ? `status ${status}` : status;
      await sleep(300);
    }
    throw new Error(
      `The store doesn't serve requests at ${this.address} after ${limitMs / 1000} s (${last}).`,
    );
  }

  /** Sends requests from several concurrent clients until it is stopped. @returns a function that stops it. */
  browse(clients: number): () => Promise<BrowseResult> {
    let stopped = false;
    let requests = 0;
    const lost: string[] = [];
    const client = async (): Promise<void> => {
      while (!stopped) {
        requests++;
        const status = await this.productsStatus(5).catch((error: unknown) => messageOf(error));
        if (status !== 200) lost.push(typeof status === "number" ? `status ${status}` : status);
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

  /** Checks that HTTP leads to HTTPS. @throws an error with the answer if it doesn't. */
  async expectRedirect({ name }: NamedSite): Promise<void> {
    const client = new ShopClient(`http://${name}`, { from: this.from, at: this.address });
    const { status, location } = await client.get("/api?x=1");
    if (status === 308 && location === `https://${name}/api?x=1`) return;
    throw new Error(`HTTP is answered with status ${status} and the location ${location ?? ""}.`);
  }

  /** Returns the certificate of the site in PEM, which a client has to trust. */
  async certificate({ name, root }: NamedSite): Promise<string> {
    const socket = connectTls({
      ...{ host: this.address, port: 443, localAddress: this.from, servername: name, ca: root },
    });
    try {
      await once(socket, "secureConnect", { signal: AbortSignal.timeout(30_000) });
      return new X509Certificate(socket.getPeerCertificate().raw).toString();
    } finally {
      socket.destroy();
    }
  }

  /** Returns whether a certificate that a client trusts is served at port 443. */
  servesHttps(site: NamedSite): Promise<boolean> {
    return this.certificate(site).then(
      () => true,
      () => false,
    );
  }

  /** Returns whether a server on this port sends any data. */
  reaches(port: number): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect({
        host: this.address,
        port,
        localAddress: this.from,
        timeout: 10_000,
      });
      const end = (reached: boolean) => (): void => {
        socket.destroy();
        resolve(reached);
      };
      socket.once("data", end(true));
      socket.once("timeout", end(false));
      socket.once("error", end(false));
      socket.once("close", end(false));
      // An HTTP server sends nothing before a request; an SSH server does.
      socket.once("connect", () => socket.write("GET / HTTP/1.0\r\n\r\n"));
    });
  }

  private async productsStatus(limit: number): Promise<number> {
    return (await this.client.get(`/api/inventory/products?limit=${limit}`)).status;
  }
}
