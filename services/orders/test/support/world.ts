import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import {
  createDatabase,
  createStaff,
  startService,
  until,
  type RunningService,
  type TestDatabase,
  type TestStaff,
} from "@store/kit/testing";
import { Proxy, type Call, type Fate, type Step } from "./proxy.ts";

const upstreams = ["inventory", "billing", "shipping"] as const;
type Upstream = (typeof upstreams)[number];

/** The public view of an order. */
interface OrderView {
  readonly id: string;
  readonly status: string;
  readonly reason?: string;
  readonly history: readonly { readonly status: string; readonly reason?: string }[];
}

/** An order that a test has placed. */
export interface Placed {
  readonly id: string;
  /** ID of the request that placed it; identifies its calls in the proxies. */
  readonly requestId: string;
  /** The ordered product, which no other order uses. */
  readonly sku: string;
}

/** Final state of an order in all services. */
export interface Outcome {
  readonly status: string;
  readonly reason?: string | undefined;
  readonly history: readonly string[];
  readonly onHand: number;
  readonly held: number;
  readonly payments: readonly string[];
  readonly shipments: number;
}

export const customer = {
  name: "Ada Lovelace",
  email: "ada@example.org",
  address: { line1: "1 Analytical St", city: "Perth", postcode: "6000", country: "AU" },
};

/** Stock of an order's product before the order. */
const STOCK = 5;

/** Expected final state of a successful order. */
export const confirmed: Outcome = {
  status: "confirmed",
  reason: undefined,
  history: ["pending", "confirmed"],
  onHand: STOCK - 1,
  held: 0,
  payments: ["captured"],
  shipments: 1,
};

/** Expected final state of a cancelled order; `payments`: statuses of its payments in billing. */
export function cancelled(reason: string, payments: readonly string[]): Outcome {
  return {
    status: "cancelled",
    reason,
    history: ["pending", "cancelled"],
    onHand: STOCK,
    held: 0,
    payments,
    shipments: 0,
  };
}

/** Real inventory, billing and shipping, each behind a proxy, and replicas of orders. */
export class World {
  readonly staff: TestStaff;
  readonly database: TestDatabase;
  readonly #databases: Readonly<Record<Upstream, TestDatabase>>;
  readonly #underWay = new Set<string>();
  readonly proxies: Readonly<Record<Upstream, Proxy>> = {
    inventory: new Proxy(this.#underWay),
    billing: new Proxy(this.#underWay),
    shipping: new Proxy(this.#underWay),
  };
  readonly #services = new Map<Upstream, RunningService>();
  readonly #urls: Record<string, string> = {};
  replicas: RunningService[] = [];

  private constructor(
    databases: Readonly<Record<Upstream | "orders", TestDatabase>>,
    staff: TestStaff,
  ) {
    this.#databases = databases;
    this.database = databases.orders;
    this.staff = staff;
  }

  static async create(): Promise<World> {
    const [inventory, billing, shipping, orders] = await Promise.all([
      createDatabase(),
      createDatabase(),
      createDatabase(),
      createDatabase(),
    ]);
    const world = new World({ inventory, billing, shipping, orders }, createStaff());
    for (const name of upstreams) {
      world.#urls[`${name.toUpperCase()}_URL`] = await world.proxies[name].listen();
    }
    await Promise.all(upstreams.map((name) => world.startUpstream(name)));
    return world;
  }

  async startUpstream(name: Upstream, environment: Record<string, string> = {}): Promise<void> {
    const service = await startService(name, {
      ...this.#databases[name].environment,
      ...this.staff.environment,
      SIMULATED_SLOW_MS: "1000",
      // Otherwise a payment interrupted by a database restart stays leased for longer than the tests wait.
      PAYMENT_LEASE_SECONDS: "4",
      RESERVATION_SWEEP_MS: "100",
      ...environment,
    });
    this.#services.set(name, service);
    await service.ready();
    this.proxies[name].target = service.url;
  }

  /** Stops a service; connections to it are then refused. */
  async stopUpstream(name: Upstream): Promise<void> {
    this.proxies[name].target = undefined;
    await this.#services.get(name)?.stop();
  }

  /** Starts replicas of orders with short intervals, for fast tests. */
  async startReplicas(count: number, environment: Record<string, string> = {}): Promise<void> {
    const started = await Promise.all(
      Array.from({ length: count }, () =>
        startService("orders", {
          ...this.database.environment,
          ...this.staff.environment,
          ...this.#urls,
          SAGA_LEASE_SECONDS: "2",
          SAGA_POLL_MS: "100",
          SAGA_BACKOFF_MS: "50",
          SAGA_BACKOFF_MAX_MS: "300",
          SHIPPING_POLL_MS: "100",
          ...environment,
        }),
      ),
    );
    this.replicas.push(...started);
    await Promise.all(started.map((replica) => replica.ready()));
  }

  /** Kills the replicas, as a power failure does. */
  async killReplicas(): Promise<void> {
    await Promise.all(this.replicas.map((replica) => replica.stop("SIGKILL")));
    this.replicas = [];
  }

  /** Resets the proxies. */
  calm(): void {
    for (const proxy of Object.values(this.proxies)) {
      proxy.fate = () => "forward";
      proxy.overlaps.length = 0;
    }
  }

  async dispose(): Promise<void> {
    await this.killReplicas();
    await Promise.all([...this.#services.values()].map((service) => service.stop()));
    for (const proxy of Object.values(this.proxies)) proxy.close();
  }

  /** Sets the handling of calls for one step. */
  onStep(step: Step, fate: (call: Call) => Fate | Promise<Fate>): void {
    for (const proxy of Object.values(this.proxies)) {
      const others = proxy.fate;
      proxy.fate = (call) => (call.step === step ? fate(call) : others(call));
    }
  }

  /** Places an order for one unit of its own product. */
  async place({
    token = "tok_ok",
    replica = this.replicas[0],
    sku = newSku(),
    requestId = randomUUID(),
  } = {}): Promise<Placed> {
    assert.ok(replica);
    await this.stock(sku, STOCK);
    const response = await replica.fetch("/api/orders", {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "idempotency-key": randomUUID(),
        "x-request-id": requestId,
      },
      body: JSON.stringify({ customer, items: [{ sku, quantity: 1 }], payment: { token } }),
    });
    assert.equal(response.status, 202, await response.clone().text());
    const { id } = (await response.json()) as { id: string };
    return { id, requestId, sku };
  }

  /** Sets the stock of a product, as staff. */
  async stock(sku: string, onHand: number): Promise<void> {
    const response = await this.ask("inventory", `/api/inventory/products/${sku}`, {
      method: "PUT",
      body: JSON.stringify({
        name: `Product ${sku}`,
        description: "For a test",
        price: { amount: 2900, currency: "AUD" },
        onHand,
      }),
    });
    assert.ok(response.ok, await response.text());
  }

  /** Sends a request to a service without its proxy, as staff. */
  async ask(name: Upstream, path: string, init: RequestInit = {}): Promise<Response> {
    const service = this.#services.get(name);
    assert.ok(service);
    return service.fetch(path, {
      ...init,
      headers: {
        ...this.staff.headers,
        ...(init.body === undefined ? {} : { "content-type": "application/json" }),
      },
    });
  }

  async #readJson<T>(name: Upstream, path: string): Promise<T> {
    const response = await this.ask(name, path);
    assert.equal(response.status, 200, path);
    return (await response.json()) as T;
  }

  async view({ id }: Placed): Promise<OrderView> {
    const [replica] = this.replicas.filter(
      ({ process }) => process.exitCode === null && !process.killed,
    );
    assert.ok(replica);
    return (await replica.json(`/api/orders/${id}`)) as OrderView;
  }

  async reaches(order: Placed, status: string, seconds = 20): Promise<OrderView> {
    let view: OrderView | undefined;
    await until(
      `the order is ${status}`,
      async () => (view = await this.view(order)).status === status,
      seconds,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}; it is ${JSON.stringify(view)}`, { cause: error });
    });
    return view ?? assert.fail();
  }

  /** Reads the state of an order in all services. */
  async outcome(order: Placed): Promise<Outcome> {
    const [view, stock, payments, shipments] = await Promise.all([
      this.view(order),
      this.#readJson<{ onHand: number; held: number }>(
        "inventory",
        `/api/inventory/stock/${order.sku}`,
      ),
      this.#readJson<{ items: { status: string; amount: { amount: number } }[] }>(
        "billing",
        `/api/billing/payments?order=${order.id}`,
      ),
      this.#readJson<{ items: unknown[] }>("shipping", `/api/shipping/shipments?order=${order.id}`),
    ]);
    for (const { amount } of payments.items) assert.equal(amount.amount, 2900);
    return {
      status: view.status,
      reason: view.reason,
      history: view.history.map(({ status }) => status),
      onHand: stock.onHand,
      held: stock.held,
      payments: payments.items.map(({ status }) => status),
      shipments: shipments.items.length,
    };
  }

  /** Steps called for an order, in order of arrival. */
  stepsOf({ requestId }: Placed): Step[] {
    return this.#calls
      .filter((call) => call.requestId === requestId)
      .map(({ step }) => step)
      .filter((step) => step !== "other");
  }

  get #calls(): Call[] {
    return Object.values(this.proxies)
      .flatMap(({ calls }) => calls)
      .sort((a, b) => a.at - b.at);
  }
}

let skus = 0;
/** Returns an unused SKU. */
export function newSku(): string {
  return `TEST-${++skus}`;
}
