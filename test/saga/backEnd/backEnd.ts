import {
  crashPostgres,
  createDatabase,
  createStaff,
  freePort,
  type TestDatabase,
  type TestStaff,
} from "@store/kit/testing";
import { FaultProxy, type Call } from "../proxy/faultProxy.ts";
import { allDerivedIds } from "./derivedIds.ts";
import { Replica } from "./replica.ts";

export const services = ["inventory", "billing", "shipping", "orders"] as const;
export type ServiceName = (typeof services)[number];

const REPLICAS = 2;

/** Seconds for which a replica of orders holds the lease of an order. */
export const LEASE_SECONDS = 2;

/** Intervals and timeouts that are shorter than in production in the same proportions, so that a test takes seconds instead of minutes. */
const settings: Readonly<Record<ServiceName, Readonly<Record<string, string>>>> = {
  // Holds don't expire during a round, so a hold that is left at its end is a leak.
  inventory: { RESERVATION_SWEEP_MS: "200" },
  billing: { SIMULATED_SLOW_MS: "700", SIMULATED_FLAKY_RATE: "0.5" },
  shipping: {},
  orders: {
    SAGA_LEASE_SECONDS: String(LEASE_SECONDS),
    SAGA_POLL_MS: "100",
    SAGA_BACKOFF_MS: "50",
    SAGA_BACKOFF_MAX_MS: "500",
    STEP_TIMEOUT_MS: "600",
    PAYMENT_TIMEOUT_MS: "1200",
    SHIPPING_POLL_MS: "200",
    BILLING_POLL_MS: "200",
  },
};

/** The back end with two replicas of each service, as in production, and the fault-injecting proxy between the services. */
export class BackEnd {
  readonly proxy: FaultProxy;
  readonly staff: TestStaff = createStaff();
  readonly replicas: Replica[] = [];
  readonly #databases = new Map<string, TestDatabase>();
  /** Idempotency keys of orders, by the ids derived from the order's id. */
  readonly #keys = new Map<string, string>();
  #crash: Promise<void> = Promise.resolve();
  /** Base URL for the shop client. */
  #url = "";
  readonly counts = { kills: 0, revivals: 0, pauses: 0, crashes: 0 };

  private constructor(seed: number) {
    this.proxy = new FaultProxy({
      seed,
      upstreams: (service) => this.replicasOf(service),
      subjectOf: (call) => this.#keyOf(call),
    });
  }

  /** @param seed Seed of the random faults. */
  static async start(seed: number): Promise<BackEnd> {
    const backEnd = new BackEnd(seed);
    try {
      await backEnd.#boot();
    } catch (error) {
      await backEnd.stop();
      throw error;
    }
    return backEnd;
  }

  get url(): string {
    return this.#url;
  }

  database(service: ServiceName): TestDatabase {
    const database = this.#databases.get(service);
    if (database === undefined) throw new Error(`${service} has no database yet`);
    return database;
  }

  replicasOf(service: string): readonly Replica[] {
    return this.replicas.filter((replica) => replica.service === service);
  }

  replica(name: string): Replica {
    const replica = this.replicas.find((one) => one.name === name);
    if (replica === undefined) throw new Error(`there is no replica ${name}`);
    return replica;
  }

  kill(name: string): void {
    const replica = this.replica(name);
    if (!replica.isRunning) return;
    replica.kill();
    this.counts.kills += 1;
  }

  async revive(name: string): Promise<void> {
    if (await this.replica(name).revive()) this.counts.revivals += 1;
  }

  pause(name: string): void {
    const replica = this.replica(name);
    if (!replica.isRunning || replica.isPaused) return;
    replica.pause();
    this.counts.pauses += 1;
  }

  /** Kills the PostgreSQL of all services and restarts it. Concurrent calls run one after another. */
  crashDatabases(): Promise<void> {
    this.counts.crashes += 1;
    this.#crash = this.#crash.then(crashPostgres);
    return this.#crash;
  }

  /** Ends all faults and outages. Resolves when all replicas are ready. */
  async recover(): Promise<void> {
    this.proxy.profile = {};
    this.proxy.profiles = {};
    this.proxy.lateAfter = undefined;
    this.proxy.removeTraps();
    await this.#crash;
    for (const replica of this.replicas) replica.resume();
    await Promise.all(this.replicas.map(({ name }) => this.revive(name)));
    await Promise.all(this.replicas.map((replica) => replica.ready()));
  }

  /** Restarts a service from the sources in `folder`, or from its own if undefined. */
  async replace(service: ServiceName, folder: string | undefined): Promise<void> {
    await Promise.all(
      this.replicasOf(service).map(async (replica) => {
        await replica.stop();
        await replica.start(folder);
      }),
    );
  }

  /** Sends a staff request to any running replica, bypassing the proxy. */
  async asStaff(service: ServiceName, path: string, init: RequestInit = {}): Promise<Response> {
    const [replica] = this.replicasOf(service).filter((one) => one.isRunning && !one.isPaused);
    if (replica === undefined) throw new Error(`No replica of ${service} is running`);
    return fetch(replica.url + path, {
      ...init,
      headers: {
        ...this.staff.headers,
        ...(init.body === undefined ? {} : { "content-type": "application/json" }),
        ...Object.fromEntries(new Headers(init.headers)),
      },
      signal: AbortSignal.timeout(20_000),
    });
  }

  async stop(): Promise<void> {
    await Promise.all(this.replicas.map((replica) => replica.stop()));
    await this.proxy.close();
  }

  async #boot(): Promise<void> {
    for (const service of services) this.#databases.set(service, await createDatabase());
    this.#url = await this.proxy.addRoute("customer", "orders");
    for (const service of services) {
      for (let n = 1; n <= REPLICAS; n++) {
        const name = `${service}-${n}`;
        const setting = {
          ...{ name, service, port: await freePort() },
          environment: {
            ...settings[service],
            ...this.database(service).environment,
            ...this.staff.environment,
            // Eight processes with two pools each share one PostgreSQL, which accepts 100 connections.
            DATABASE_POOL_SIZE: "6",
            ...(service === "orders" ? await this.#addRoutes(name) : {}),
          },
        };
        this.replicas.push(new Replica(setting));
      }
    }
    // Waits for all replicas even if one fails, so that stop() finds no replica that is still starting.
    const started = await Promise.allSettled(this.replicas.map((replica) => replica.start()));
    for (const one of started) if (one.status === "rejected") throw one.reason;
  }

  async #addRoutes(caller: string): Promise<Record<string, string>> {
    const urls: Record<string, string> = {};
    for (const service of services.filter((one) => one !== "orders"))
      urls[`${service.toUpperCase()}_URL`] = await this.proxy.addRoute(caller, service);
    return urls;
  }

  /** Returns the idempotency key of the call's order. Unlike the random ids, keys are the same in each run. */
  async #keyOf({ operation, id, caller }: Call): Promise<string> {
    if (operation === "place") return nameOf(id);
    if (id === "") return caller;
    if (!this.#keys.has(id)) {
      // The database may be down. Then the id identifies the call, and its faults differ in the next run.
      const orders = await this.database("orders")
        .query<{ id: string; key: string }>("SELECT id, idempotency_key AS key FROM orders")
        .catch(() => []);
      for (const order of orders)
        for (const made of allDerivedIds(order.id)) this.#keys.set(made, nameOf(order.key));
    }
    return this.#keys.get(id) ?? id;
  }
}

/** Returns an order's name within its round, from its idempotency key. */
function nameOf(key: string): string {
  return key.replace(/^.*\//, "");
}
