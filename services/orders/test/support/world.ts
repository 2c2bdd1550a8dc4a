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

/** An order as anybody sees it who knows its id. */
interface OrderView {
  readonly id: string;
  readonly status: string;
  readonly reason?: string;
  readonly history: readonly { readonly status: string; readonly reason?: string }[];
}

/** An order that a test has placed. */
export interface Placed {
  readonly id: string;
  /** Of the request that placed it: by it the proxies know what is done for it. */
  readonly requestId: string;
  /** What it takes from the stock: one of a product of its own. */
  readonly sku: string;
}

/** What the other services say of an order at rest. */
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

/** How many of an order's product there are before it. */
const STOCK = 5;

/** At rest: what an order comes to that went well. */
export const confirmed: Outcome = {
  status: "confirmed",
  reason: undefined,
  history: ["pending", "confirmed"],
  onHand: STOCK - 1,
  held: 0,
  payments: ["captured"],
  shipments: 1,
};

/** At rest: what an order comes to that was undone; `payments` are the payments that billing knows of. */
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

/** inventory, billing and shipping as they are, each behind a proxy, and as many replicas of orders as a test wants. */
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
      // Otherwise a payment that was under way when the database went away is nobody's for longer than tests wait.
      PAYMENT_LEASE_SECONDS: "4",
      RESERVATION_SWEEP_MS: "100",
      ...environment,
    });
    this.#services.set(name, service);
    await service.ready();
    this.proxies[name].target = service.url;
  }

  /** From then on its callers are refused the connection. */
  async stopUpstream(name: Upstream): Promise<void> {
    this.proxies[name].target = undefined;
    await this.#services.get(name)?.stop();
  }

  /** Starts replicas of orders that are impatient, so that the tests needn't be patient. */
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

  /** Ends the replicas, as a machine does that loses its power. */
  async killReplicas(): Promise<void> {
    await Promise.all(this.replicas.map((replica) => replica.stop("SIGKILL")));
    this.replicas = [];
  }

  /** Forgets what a test has told the proxies. */
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

  /** Lets the test decide over calls for one step; the others go through. */
  onStep(step: Step, fate: (call: Call) => Fate | Promise<Fate>): void {
    for (const proxy of Object.values(this.proxies)) {
      const others = proxy.fate;
      proxy.fate = (call) => (call.step === step ? fate(call) : others(call));
    }
  }

  /** Places an order for one of a product that nobody else orders. */
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

  /** Says how many there are, as the store's own people do. */
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

  /** Asks a service past its proxy, as the store's own people. */
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

  async #told<T>(name: Upstream, path: string): Promise<T> {
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

  /** What has become of it, in all services. */
  async outcome(order: Placed): Promise<Outcome> {
    const [view, stock, payments, shipments] = await Promise.all([
      this.view(order),
      this.#told<{ onHand: number; held: number }>(
        "inventory",
        `/api/inventory/stock/${order.sku}`,
      ),
      this.#told<{ items: { status: string; amount: { amount: number } }[] }>(
        "billing",
        `/api/billing/payments?order=${order.id}`,
      ),
      this.#told<{ items: unknown[] }>("shipping", `/api/shipping/shipments?order=${order.id}`),
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

  /** The steps that were asked for, for one order, in their order. */
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
/** Of a product that nobody has ordered yet. */
export function newSku(): string {
  return `TEST-${++skus}`;
}
