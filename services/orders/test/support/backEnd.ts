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
import { FaultProxy, type Call, type Handling, type Step } from "./faultProxy.ts";
import { STOCK, type Outcome } from "./outcomes.ts";

const upstreams = ["inventory", "billing", "shipping"] as const;
type Upstream = (typeof upstreams)[number];

/** The public view of an order. */
interface OrderView {
  readonly id: string;
  readonly status: string;
  readonly reason?: string;
  readonly history: readonly { readonly status: string; readonly reason?: string }[];
}

/** The staff's view of an order. */
interface StaffView {
  readonly id: string;
  readonly status: string;
  readonly alerts?: readonly Record<string, unknown>[];
}

interface Parcel {
  readonly id: string;
  readonly status: string;
}

/** An order that a test has placed. */
export interface PlacedOrder {
  readonly id: string;
  /** ID of the request that placed it; identifies its calls in the proxies. */
  readonly requestId: string;
  /** The ordered product, which no other order uses. */
  readonly sku: string;
}

/** Progress of an order in the database. */
interface Saga extends Record<string, unknown> {
  readonly step: string;
  readonly attempts: number;
  readonly last_error: string | null;
}

export const customer = {
  name: "Ada Lovelace",
  email: "ada@example.org",
  address: { line1: "1 Analytical St", city: "Perth", postcode: "6000", country: "AU" },
};

/** Lease long enough that no replica loses an order only because the machine is busy. */
export const LONG_LEASE = { SAGA_LEASE_SECONDS: "30" };

/** Limits of the calls: long enough that none is repeated only because the machine is busy, or its caller was frozen. */
const LONG_TIMEOUTS = { STEP_TIMEOUT_MS: "60000", PAYMENT_TIMEOUT_MS: "60000" };

/** Real inventory, billing and shipping, each behind a proxy, and replicas of orders. */
export class BackEnd {
  readonly staff: TestStaff;
  readonly database: TestDatabase;
  readonly #databases: Readonly<Record<Upstream, TestDatabase>>;
  readonly #openCalls = new Set<string>();
  readonly proxies: Readonly<Record<Upstream, FaultProxy>> = {
    inventory: new FaultProxy(this.#openCalls),
    billing: new FaultProxy(this.#openCalls),
    shipping: new FaultProxy(this.#openCalls),
  };
  readonly #services = new Map<Upstream, RunningService>();
  readonly #urls: Record<string, string> = {};
  replicas: RunningService[] = [];
  /** Arguments of the last useReplicas whose replicas still run. */
  #usedReplicas: string | undefined;

  private constructor(
    databases: Readonly<Record<Upstream | "orders", TestDatabase>>,
    staff: TestStaff,
  ) {
    this.#databases = databases;
    this.database = databases.orders;
    this.staff = staff;
  }

  static async create(): Promise<BackEnd> {
    const [inventory, billing, shipping, orders] = await Promise.all([
      createDatabase(),
      createDatabase(),
      createDatabase(),
      createDatabase(),
    ]);
    const backEnd = new BackEnd({ inventory, billing, shipping, orders }, createStaff());
    for (const name of upstreams) {
      backEnd.#urls[`${name.toUpperCase()}_URL`] = await backEnd.proxies[name].listen();
    }
    await Promise.all(upstreams.map((name) => backEnd.startUpstream(name)));
    return backEnd;
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

  /** Returns the database of another service. */
  upstreamDatabase(name: Upstream): TestDatabase {
    return this.#databases[name];
  }

  /** Stops a service; connections to it are then refused. */
  async stopUpstream(name: Upstream): Promise<void> {
    this.proxies[name].target = undefined;
    await this.#services.get(name)?.stop();
  }

  /**
   * Ensures that exactly these replicas run. Keeps the running ones if they were started by the same call, because a start takes a
   * second.
   */
  async useReplicas(count: number, environment: Record<string, string> = {}): Promise<void> {
    const wanted = JSON.stringify([count, environment]);
    if (this.#usedReplicas === wanted) return;
    await this.killReplicas();
    await this.startReplicas(count, environment);
    this.#usedReplicas = wanted;
  }

  /** Starts more replicas of orders, with short intervals for fast tests. */
  async startReplicas(count: number, environment: Record<string, string> = {}): Promise<void> {
    this.#usedReplicas = undefined;
    const started = await Promise.all(
      Array.from({ length: count }, () =>
        startService("orders", {
          ...this.database.environment,
          ...this.staff.environment,
          ...this.#urls,
          ...LONG_TIMEOUTS,
          SAGA_LEASE_SECONDS: "2",
          SAGA_POLL_MS: "100",
          SAGA_BACKOFF_MS: "50",
          SAGA_BACKOFF_MAX_MS: "300",
          SHIPPING_POLL_MS: "100",
          BILLING_POLL_MS: "100",
          ...environment,
        }),
      ),
    );
    this.replicas.push(...started);
    await Promise.all(started.map((replica) => replica.ready()));
  }

  /** Kills all replicas (SIGKILL). */
  async killReplicas(): Promise<void> {
    this.#usedReplicas = undefined;
    await Promise.all(this.replicas.map((replica) => replica.stop("SIGKILL")));
    this.replicas = [];
  }

  /** Makes the proxies forward all calls. */
  resetFaults(): void {
    for (const proxy of Object.values(this.proxies)) {
      proxy.handle = () => "forward";
      proxy.overlaps.length = 0;
    }
  }

  async dispose(): Promise<void> {
    await this.killReplicas();
    await Promise.all([...this.#services.values()].map((service) => service.stop()));
    for (const proxy of Object.values(this.proxies)) proxy.close();
  }

  /** Sets the handling of calls for one step. */
  onStep(step: Step, handle: (call: Call) => Handling | Promise<Handling>): void {
    for (const proxy of Object.values(this.proxies)) {
      const others = proxy.handle;
      proxy.handle = (call) => (call.step === step ? handle(call) : others(call));
    }
  }

  /** Places an order for one unit of its own product. */
  async place({
    token = "tok_ok",
    replica = this.replicas[0],
    sku = newSku(),
    requestId = randomUUID(),
  } = {}): Promise<PlacedOrder> {
    assert.ok(replica);
    await this.setStock(sku, STOCK);
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
  async setStock(sku: string, onHand: number): Promise<void> {
    const put = (headers: Record<string, string>) =>
      this.sendTo("inventory", `/api/inventory/products/${sku}`, {
        method: "PUT",
        headers,
        body: JSON.stringify({
          name: `Product ${sku}`,
          description: "For a test",
          price: { amount: 2900, currency: "AUD" },
          onHand,
        }),
      });
    const added = await put({});
    // The product exists.
    const response = added.status === 428 ? await put({ "if-match": "*" }) : added;
    assert.ok(response.ok, await response.text());
  }

  /** Sends a request to a service without its proxy, as staff. */
  async sendTo(
    name: Upstream,
    path: string,
    {
      headers,
      ...init
    }: Omit<RequestInit, "headers"> & { readonly headers?: Record<string, string> } = {},
  ): Promise<Response> {
    const service = this.#services.get(name);
    assert.ok(service);
    return service.fetch(path, {
      ...init,
      headers: {
        ...this.staff.headers,
        ...headers,
        ...(init.body === undefined ? {} : { "content-type": "application/json" }),
      },
    });
  }

  async #readJson<T>(name: Upstream, path: string): Promise<T> {
    const response = await this.sendTo(name, path);
    assert.equal(response.status, 200, path);
    return (await response.json()) as T;
  }

  /** Reads the public view of an order. */
  async readOrder({ id }: PlacedOrder): Promise<OrderView> {
    const [replica] = this.replicas.filter(
      ({ process }) => process.exitCode === null && !process.killed,
    );
    assert.ok(replica);
    return (await replica.json(`/api/orders/${id}`)) as OrderView;
  }

  /** Reads the staff's view of an order. */
  async readAsStaff({ id }: PlacedOrder): Promise<StaffView> {
    const { headers } = this.staff;
    const { items } = (await this.firstReplica.json("/api/orders?limit=100", { headers })) as {
      items: StaffView[];
    };
    return items.find((order) => order.id === id) ?? assert.fail("the order isn't listed");
  }

  /** Marks the parcel of an order as dispatched. */
  async dispatch({ id }: PlacedOrder): Promise<Response> {
    const [parcel] = await this.parcels({ id });
    const path = `/api/shipping/shipments/${parcel?.id ?? ""}/dispatch`;
    return this.sendTo("shipping", path, { method: "POST" });
  }

  async parcels({ id }: Pick<PlacedOrder, "id">): Promise<readonly Parcel[]> {
    const path = `/api/shipping/shipments?order=${id}`;
    return (await this.#readJson<{ items: Parcel[] }>("shipping", path)).items;
  }

  /** Returns the id of the payment of an order. */
  async paymentOf({ id }: PlacedOrder): Promise<string> {
    const path = `/api/billing/payments?order=${id}`;
    const { items } = await this.#readJson<{ items: { id: string }[] }>("billing", path);
    return items[0]?.id ?? assert.fail("the order has no payment");
  }

  /** Refunds an amount of an order, by default everything that is left. */
  async refund(order: PlacedOrder, amount?: number): Promise<void> {
    const path = `/api/billing/payments/${await this.paymentOf(order)}/refunds`;
    const body = amount === undefined ? {} : { amount: { amount, currency: "AUD" } };
    const response = await this.sendTo("billing", path, {
      method: "POST",
      headers: { "idempotency-key": randomUUID() },
      body: JSON.stringify(body),
    });
    assert.equal(response.status, 201, await response.text());
  }

  /** Waits until an order has a status, and returns the order. */
  async waitForStatus(order: PlacedOrder, status: string): Promise<OrderView> {
    let view: OrderView | undefined;
    await until(
      `the order is ${status}`,
      async () => (view = await this.readOrder(order)).status === status,
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}; it is ${JSON.stringify(view)}`, { cause: error });
    });
    return view ?? assert.fail();
  }

  /** Reads the state of an order in all services. */
  async readOutcome(order: PlacedOrder): Promise<Outcome> {
    const [view, stock, payments, shipments] = await Promise.all([
      this.readOrder(order),
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

  /** Waits until an order has the status of the outcome, and checks its state in all services. */
  async assertEndsAs(order: PlacedOrder, expected: Outcome): Promise<void> {
    await this.waitForStatus(order, expected.status);
    assert.deepEqual(await this.readOutcome(order), expected);
  }

  /** Reads the progress of an order; undefined after its end. */
  async sagaOf({ id }: PlacedOrder): Promise<Saga | undefined> {
    const [saga] = await this.database.query<Saga>(
      "SELECT step, attempts, last_error FROM sagas WHERE order_id = $1",
      [id],
    );
    return saga;
  }

  /** Waits until a call for the order's current step had no definite answer. */
  waitForAttempt(order: PlacedOrder): Promise<void> {
    return until(
      "a call had no definite answer",
      async () => ((await this.sagaOf(order))?.attempts ?? 0) > 0,
    );
  }

  /** Reads the payment token stored with an order; null after its deletion. */
  async paymentTokenOf({ id }: PlacedOrder): Promise<string | null | undefined> {
    const [order] = await this.database.query<{ payment_token: string | null }>(
      "SELECT payment_token FROM orders WHERE id = $1",
      [id],
    );
    return order?.payment_token;
  }

  get firstReplica(): RunningService {
    return this.replicas[0] ?? assert.fail("no replica runs");
  }

  /** Retries an order, as staff. */
  retry(id: string): Promise<Response> {
    return this.#postAsStaff(`/api/orders/${id}/retry`);
  }

  /** Returns what staff did to an order: actions and names of tokens. */
  async staffActions(id: string): Promise<(readonly [action: string, staff: string])[]> {
    const response = await this.firstReplica.fetch(`/api/orders/${id}/staff-actions`, {
      headers: this.staff.headers,
    });
    const { items } = (await response.json()) as { items: { action: string; staff: string }[] };
    return items.map(({ action, staff }) => [action, staff]);
  }

  /** Places an order, and waits until it is confirmed. */
  async placeConfirmed(...args: Parameters<BackEnd["place"]>): Promise<PlacedOrder> {
    const order = await this.place(...args);
    await this.waitForStatus(order, "confirmed");
    return order;
  }

  /** Marks the alerts about the payment of an order as handled, as staff. @param through ID of the newest one. Defaults to all. */
  resolve(id: string, through?: number): Promise<Response> {
    const query = through === undefined ? "" : `?through=${through}`;
    return this.#postAsStaff(`/api/orders/${id}/resolve${query}`);
  }

  /** Cancels an order, as staff. */
  cancel(id: string): Promise<Response> {
    return this.#postAsStaff(`/api/orders/${id}/cancel`);
  }

  #postAsStaff(path: string): Promise<Response> {
    return this.firstReplica.fetch(path, { method: "POST", headers: this.staff.headers });
  }

  /** Steps called for an order, in order of arrival. */
  stepsOf({ requestId }: PlacedOrder): Step[] {
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
