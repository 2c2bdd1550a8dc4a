import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import {
  createDatabase,
  createStaff,
  startService,
  type RunningService,
  type TestDatabase,
} from "@store/kit/testing";

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

/** Whatever is in an answer's body: each test looks for what belongs there. */
interface Body {
  readonly type?: string;
  readonly status?: unknown;
  readonly expiresAt?: string | null;
  readonly errors?: readonly {
    readonly in: string;
    readonly pointer: string;
    readonly message: string;
  }[];
  readonly items?: readonly { readonly sku: string }[];
  readonly next?: string | null;
}

export interface Line {
  readonly sku: string;
  readonly quantity: number;
}

export interface Stock {
  readonly onHand: number;
  readonly held: number;
  readonly available: number;
}

/** Replicas of the service on one database. Each call goes to the next of them. */
export class Inventory {
  readonly database: TestDatabase;
  readonly replicas: readonly RunningService[];
  readonly staff: Readonly<Record<string, string>>;
  #turn = 0;

  private constructor(
    database: TestDatabase,
    replicas: readonly RunningService[],
    staff: Readonly<Record<string, string>>,
  ) {
    this.database = database;
    this.replicas = replicas;
    this.staff = staff;
  }

  static async start(
    replicas: number,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<Inventory> {
    const database = await createDatabase();
    const staff = createStaff();
    const running = await Promise.all(
      Array.from({ length: replicas }, () =>
        startService("inventory", {
          ...database.environment,
          ...staff.environment,
          ...environment,
        }),
      ),
    );
    await Promise.all(running.map((replica) => replica.ready()));
    return new Inventory(database, running, staff.headers);
  }

  async stop(): Promise<void> {
    const codes = await Promise.all(this.replicas.map((replica) => replica.stop()));
    assert.deepEqual(new Set(codes), new Set([0]));
  }

  async send(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const replica = this.replicas[this.#turn++ % this.replicas.length] ?? assert.fail("no replica");
    const response = await replica.fetch(path, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as Body,
    };
  }

  /** Says how many of a product are on the shelf; the rest of it is of no interest. */
  put(sku: string, onHand: number, headers: Readonly<Record<string, string>> = {}) {
    return this.send("PUT", `/api/inventory/products/${sku}`, edit({ onHand }), {
      ...this.staff,
      ...headers,
    });
  }

  /** A new product of which so many are there. */
  async product(onHand: number): Promise<string> {
    const sku = `T-${randomUUID().slice(0, 8).toUpperCase()}`;
    assert.equal((await this.put(sku, onHand)).status, 201);
    return sku;
  }

  hold(id: string, lines: readonly Line[]) {
    return this.send("PUT", `/internal/reservations/${id}`, { lines });
  }

  commit(id: string) {
    return this.send("POST", `/internal/reservations/${id}/commit`);
  }

  cancel(id: string) {
    return this.send("POST", `/internal/reservations/${id}/cancel`);
  }

  async stock(sku: string): Promise<Stock> {
    const { status, body } = await this.send(
      "GET",
      `/api/inventory/stock/${sku}`,
      undefined,
      this.staff,
    );
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

export function typeOf({ body }: Answer): string | undefined {
  return body.type?.replace("urn:store:problem:", "");
}
