import {
  crashPostgres,
  createDatabase,
  createStaff,
  freePort,
  type TestDatabase,
  type TestStaff,
} from "@store/kit/testing";
import { FaultProxy, type Call } from "./faultProxy.ts";
import { allDerivedIds } from "./ids.ts";
import { Replica } from "./replica.ts";

export const services = ["inventory", "billing", "shipping", "orders"] as const;
export type ServiceName = (typeof services)[number];

const REPLICAS = 2;

/** Seconds for which a replica of orders has an order to itself. */
export const LEASE_SECONDS = 2;

/** Shorter than in production, so that what takes minutes there takes seconds. What is tested are the proportions. */
const settings: Readonly<Record<ServiceName, Readonly<Record<string, string>>>> = {
  // Holds outlast a round: what is still held in the end was forgotten.
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
  },
};

/** The whole back end as it runs in production, two replicas of each service, with the fault-injecting proxy between them. */
export class BackEnd {
  readonly proxy: FaultProxy;
  readonly staff: TestStaff = createStaff();
  readonly replicas: Replica[] = [];
  readonly #databases = new Map<string, TestDatabase>();
  /** What orders' idempotency keys are called by the ids that are made from the orders'. */
  readonly #keys = new Map<string, string>();
  #crash: Promise<void> = Promise.resolve();
  /** Where customers send their orders. */
  #url = "";
  readonly counts = { kills: 0, revivals: 0, pauses: 0, crashes: 0 };

  private constructor(seed: number) {
    this.proxy = new FaultProxy({
      seed,
      upstreams: (service) => this.replicasOf(service),
      subjectOf: (call) => this.#keyOf(call),
    });
  }

  /** @param seed Of the faults. */
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

  /** Kills the PostgreSQL of all services and starts it again; twice at once is once. */
  crashDatabases(): Promise<void> {
    this.counts.crashes += 1;
    this.#crash = this.#crash.then(crashPostgres);
    return this.#crash;
  }

  /** Ends every fault and every outage. Resolves when everything serves. */
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

  /** Runs a service from other sources, or from its own again. */
  async replace(service: ServiceName, folder: string | undefined): Promise<void> {
    await Promise.all(
      this.replicasOf(service).map(async (replica) => {
        await replica.stop();
        await replica.start(folder);
      }),
    );
  }

  /** As the store's people do it: past the faults, at any replica. */
  async asStaff(service: ServiceName, path: string, init: RequestInit = {}): Promise<Response> {
    const [replica] = this.replicasOf(service).filter((one) => one.isRunning && !one.isPaused);
    if (replica === undefined) throw new Error(`no replica of ${service} runs`);
    return fetch(replica.url + path, {
      ...init,
      headers: {
        ...this.staff.headers,
        ...(init.body === undefined ? {} : { "content-type": "application/json" }),
        ...Object.fromEntries(new Headers(init.headers)),
      },
      signal: AbortSignal.timeout(5_000),
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
            // Eight services with two pools each share one PostgreSQL, which takes 100 connections.
            DATABASE_POOL_SIZE: "6",
            ...(service === "orders" ? await this.#doors(name) : {}),
          },
        };
        this.replicas.push(new Replica(setting));
      }
    }
    // All of them, so that none is still on its way when one that failed makes us stop the others.
    const started = await Promise.allSettled(this.replicas.map((replica) => replica.start()));
    for (const one of started) if (one.status === "rejected") throw one.reason;
  }

  async #doors(caller: string): Promise<Record<string, string>> {
    const urls: Record<string, string> = {};
    for (const service of services.filter((one) => one !== "orders"))
      urls[`${service.toUpperCase()}_URL`] = await this.proxy.addRoute(caller, service);
    return urls;
  }

  /** The idempotency key of the order that a call is about: ids are drawn anew in each run, keys are not. */
  async #keyOf({ operation, id, caller }: Call): Promise<string> {
    if (operation === "place") return nameOf(id);
    if (id === "") return caller;
    if (!this.#keys.has(id)) {
      // The database may be away. Then the call goes by its id, and meets other faults in the next run.
      const orders = await this.database("orders")
        .query<{ id: string; key: string }>("SELECT id, idempotency_key AS key FROM orders")
        .catch(() => []);
      for (const order of orders)
        for (const made of allDerivedIds(order.id)) this.#keys.set(made, nameOf(order.key));
    }
    return this.#keys.get(id) ?? id;
  }
}

/** Of an order within its round, by its idempotency key. */
function nameOf(key: string): string {
  return key.replace(/^.*\//, "");
}
