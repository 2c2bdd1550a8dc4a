import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { Replicas, type Answer as AnyAnswer } from "@store/kit/testing";

export interface Answer extends AnyAnswer {
  readonly body: Body;
}

/** Whatever is in an answer's body: each test looks for what belongs there. */
type Body = AnyAnswer["body"] & {
  readonly expiresAt?: string | null;
  readonly errors?: readonly {
    readonly in: string;
    readonly pointer: string;
    readonly message: string;
  }[];
  readonly items?: readonly { readonly sku: string }[];
  readonly next?: string | null;
};

export interface Line {
  readonly sku: string;
  readonly quantity: number;
}

export interface Stock {
  readonly onHand: number;
  readonly held: number;
  readonly available: number;
}

/** Replicas of inventory, by the calls that they take. */
export class Inventory {
  readonly replicas: Replicas;

  private constructor(replicas: Replicas) {
    this.replicas = replicas;
  }

  static async start(
    count: number,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<Inventory> {
    return new Inventory(await Replicas.start("inventory", count, environment));
  }

  stop(): Promise<void> {
    return this.replicas.stop();
  }

  async send(method: string, path: string, body?: unknown): Promise<Answer> {
    return await this.replicas.send(method, path, body);
  }

  async asStaff(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    return await this.replicas.asStaff(method, path, body, headers);
  }

  /** Says how many of a product are on the shelf; the rest of it is of no interest. */
  put(sku: string, onHand: number): Promise<Answer> {
    return this.asStaff("PUT", `/api/inventory/products/${sku}`, edit({ onHand }));
  }

  /** A new product of which so many are there. */
  async product(onHand: number): Promise<string> {
    const sku = `T-${randomUUID().slice(0, 8).toUpperCase()}`;
    assert.equal((await this.put(sku, onHand)).status, 201);
    return sku;
  }

  hold(id: string, lines: readonly Line[]): Promise<Answer> {
    return this.#insist("PUT", `/internal/reservations/${id}`, { lines });
  }

  commit(id: string): Promise<Answer> {
    return this.#insist("POST", `/internal/reservations/${id}/commit`);
  }

  cancel(id: string): Promise<Answer> {
    return this.#insist("POST", `/internal/reservations/${id}/cancel`);
  }

  /**
   * Asks again where it isn't known what came of it, as orders does: on a machine with much else to do, fifty that come at once
   * may wait for a connection for longer than the service lets them.
   */
  async #insist(method: string, path: string, body?: unknown): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      const answer = await this.send(method, path, body);
      if (answer.status !== 503 || attempt === 10) return answer;
    }
  }

  async stock(sku: string): Promise<Stock> {
    const { status, body } = await this.asStaff("GET", `/api/inventory/stock/${sku}`);
    assert.equal(status, 200);
    const { onHand, held, available } = body as unknown as Stock;
    return { onHand, held, available };
  }
}

/** A product as the store's people enter it. */
export function edit(changes: Readonly<Record<string, unknown>> = {}) {
  return {
    name: "Test Product",
    description: "For tests.",
    price: { amount: 1_000, currency: "AUD" },
    onHand: 10,
    ...changes,
  };
}
