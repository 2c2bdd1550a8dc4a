import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { Replicas, type Answer as AnyAnswer } from "@store/kit/testing";

export interface Answer extends AnyAnswer {
  readonly body: Body;
}

/** Fields of the responses. Each test checks those that it expects. */
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

/** Replicas of inventory, with a method for each API call. */
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

  /** Replaces a product, with the given stock and default values. */
  put(sku: string, onHand: number): Promise<Answer> {
    const path = `/api/inventory/products/${sku}`;
    return this.asStaff("PUT", path, edit({ onHand }), { "if-match": "*" });
  }

  /** Adds a product with the given stock and returns its SKU. */
  async product(onHand: number): Promise<string> {
    const sku = `T-${randomUUID().slice(0, 8).toUpperCase()}`;
    const path = `/api/inventory/products/${sku}`;
    assert.equal((await this.asStaff("PUT", path, edit({ onHand }))).status, 201);
    return sku;
  }

  /** Holds a quantity of a new product that has the given stock. */
  async heldReservation(
    quantity: number,
    onHand: number,
  ): Promise<{ readonly sku: string; readonly id: string; readonly lines: readonly Line[] }> {
    const sku = await this.product(onHand);
    const id = randomUUID();
    const lines = [{ sku, quantity }];
    assert.equal((await this.hold(id, lines)).status, 200);
    return { sku, id, lines };
  }

  /** Makes holds overdue, so that the next sweep expires them. */
  async makeOverdue(...ids: readonly string[]): Promise<void> {
    await this.replicas.database.query(
      "UPDATE reservations SET expires_at = now() - interval '1 second' WHERE id = ANY($1) AND status = 'held'",
      [ids],
    );
  }

  hold(id: string, lines: readonly Line[]): Promise<Answer> {
    return this.#sendWithRetry("PUT", `/internal/reservations/${id}`, { lines });
  }

  commit(id: string): Promise<Answer> {
    return this.#sendWithRetry("POST", `/internal/reservations/${id}/commit`);
  }

  cancel(id: string): Promise<Answer> {
    return this.#sendWithRetry("POST", `/internal/reservations/${id}/cancel`);
  }

  return(id: string): Promise<Answer> {
    return this.#sendWithRetry("POST", `/internal/reservations/${id}/return`);
  }

  /**
   * Retries after 503, as orders does: on a busy machine, some of fifty concurrent requests may wait for a database connection until
   * they time out.
   */
  async #sendWithRetry(method: string, path: string, body?: unknown): Promise<Answer> {
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

/** Holds expire only by makeOverdue, so that they don't expire too early on a slow machine, and no sweep runs. */
export const NEVER_EXPIRE = { RESERVATION_SECONDS: "86400", RESERVATION_SWEEP_MS: "600000" };

/** Holds expire only by makeOverdue, and a sweep runs every 50 ms. */
export const SWEEPING = { ...NEVER_EXPIRE, RESERVATION_SWEEP_MS: "50" };

/** Returns the body of a product edit. */
export function edit(changes: Readonly<Record<string, unknown>> = {}) {
  return {
    name: "Test Product",
    description: "For tests.",
    price: { amount: 1_000, currency: "AUD" },
    onHand: 10,
    ...changes,
  };
}
