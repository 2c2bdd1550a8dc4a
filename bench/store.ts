/**
 * Performance of the store on this machine: throughput and latency of orders through the whole saga by number of replicas, idle memory,
 * image sizes, and start times of the services. Runs in a copy of the repository with its own stack, which is removed at the end. The
 * load generator uses CPU time of the same machine, so only comparisons within one run are meaningful elsewhere.
 *
 *     npx tsx bench/store.ts [orders per run]
 *
 * Linux only: elsewhere the services' IP addresses can't be reached from the host.
 */
import { randomUUID } from "node:crypto";
import { TestStore } from "../test/integration/support/testStore";
import { addressOf, containerOf, docker } from "./containers";
import { median, printTable } from "./measure";

/** Number of concurrent clients. Each places its next order after the previous response. */
const CLIENTS = 16;
/** Number of single orders, enough for a p99. */
const SINGLE_ORDERS = 300;
const REPLICAS = [1, 2, 4];

async function main(): Promise<void> {
  const orders = Number(process.argv[2] ?? 600);
  const store = await TestStore.create();
  try {
    await store.succeed("up");
    await idle(store);
    await coldStarts(store);
    await saga(store, orders);
  } finally {
    await store.dispose();
  }
}

/** Prints memory of each container before the first request, and the size of its image. */
async function idle(store: TestStore): Promise<void> {
  const rows = await Promise.all(
    (await store.containers("status=running")).map(async ({ id, service, role }) => {
      const memory = await docker("top", id, "-o", "pid,rss");
      const image = await docker("inspect", "--format", "{{.Image}}", id);
      const bytes = Number(await docker("image", "inspect", "--format", "{{.Size}}", image));
      const name = role === "database" ? `${service}-database` : service;
      return { name, mebibytes: residentMebibytes(memory), megabytes: bytes / 1e6 };
    }),
  );
  rows.sort((a, b) => a.name.localeCompare(b.name));
  const total = rows.reduce((sum, { mebibytes }) => sum + mebibytes, 0);
  printTable(
    ["idle", "resident MiB", "image MB"],
    [
      ...rows.map((row) => [row.name, row.mebibytes.toFixed(0), row.megabytes.toFixed(0)]),
      ["total", total.toFixed(0), ""],
    ],
  );
}

/** Prints the time from the start of a container until it is ready. */
async function coldStarts(store: TestStore): Promise<void> {
  const rows: string[][] = [];
  for (const name of ["inventory", "orders", "billing", "shipping", "storefront"]) {
    const container = await containerOf(store, name);
    const times: number[] = [];
    for (let round = 0; round < 3; round++) {
      await docker("stop", "--time", "1", container.id);
      const start = performance.now();
      await docker("start", container.id);
      const url = `http://${await addressOf(container)}:3000/readyz`;
      while (!(await isOk(url))) await sleep(10);
      times.push(performance.now() - start);
    }
    rows.push([name, median(times).toFixed(0)]);
  }
  printTable(["start of a container until ready", "ms"], rows);
}

/** Prints throughput and latency of orders through the gateway and the whole saga. */
async function saga(store: TestStore, orders: number): Promise<void> {
  const token = (await store.succeed("token")).trim();
  const staff = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  await put(`${store.url}/api/inventory/products/BENCH`, staff, {
    name: "Bench",
    description: "Product for benchmarks",
    price: { amount: 1000, currency: "AUD" },
    onHand: 1_000_000,
  });
  const rows: string[][] = [];
  let oneReplica: number | undefined;
  for (const replicas of REPLICAS) {
    store.configure({ replicas: { orders: replicas } });
    await store.succeed("up");
    await placeAndFinish(store, 100, staff);
    const start = performance.now();
    await placeAndFinish(store, orders, staff);
    const perSecond = (orders * 1000) / (performance.now() - start);
    oneReplica ??= perSecond;
    const times = await singleOrderTimes(store);
    rows.push([
      String(replicas),
      perSecond.toFixed(0),
      `${(perSecond / oneReplica).toFixed(2)}×`,
      percentile(times, 0.5).toFixed(0),
      percentile(times, 0.99).toFixed(0),
    ]);
  }
  printTable(
    [
      "replicas of orders",
      "orders/s",
      "ratio to one replica",
      "POST to confirmed: p50 ms",
      "p99 ms",
    ],
    rows,
  );
}

async function placeAndFinish(
  store: TestStore,
  orders: number,
  staff: Readonly<Record<string, string>>,
): Promise<void> {
  let left = orders;
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      while (left-- > 0) await place(store);
    }),
  );
  for (;;) {
    const pending = await fetch(`${store.url}/api/orders?status=pending&limit=1`, {
      headers: staff,
    });
    const { items } = (await pending.json()) as { items: unknown[] };
    if (items.length === 0) return;
    await sleep(20);
  }
}

/** Returns the milliseconds from POST to `confirmed` of single orders. */
async function singleOrderTimes(store: TestStore): Promise<number[]> {
  const times: number[] = [];
  for (let order = 0; order < SINGLE_ORDERS; order++) {
    const start = performance.now();
    const id = await place(store);
    for (let status = "pending"; status !== "confirmed";) {
      const answer = await fetch(`${store.url}/api/orders/${id}`);
      ({ status } = (await answer.json()) as { status: string });
      if (status === "cancelled" || status === "needs_attention")
        throw new Error(`an order has the status ${status}, so the measurement is invalid`);
      if (status !== "confirmed") await sleep(2);
    }
    times.push(performance.now() - start);
  }
  return times;
}

/** Places an order. @returns its ID. */
async function place(store: TestStore): Promise<string> {
  const response = await fetch(`${store.url}/api/orders`, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": randomUUID() },
    body: JSON.stringify({
      customer: {
        name: "Ada Lovelace",
        email: "ada@example.org",
        address: { line1: "1 Analytical St", city: "Perth", postcode: "6000", country: "AU" },
      },
      items: [{ sku: "BENCH", quantity: 1 }],
      payment: { token: "tok_ok" },
    }),
  });
  if (response.status !== 202)
    throw new Error(`orders answered ${response.status}: ${await response.text()}`);
  return ((await response.json()) as { id: string }).id;
}

async function put(url: string, headers: Record<string, string>, body: unknown): Promise<void> {
  const response = await fetch(url, { method: "PUT", headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
}

/** Returns the resident memory of all processes in the output of `docker top`. Memory shared by processes counts for each. */
function residentMebibytes(top: string): number {
  const [, ...lines] = top.split("\n");
  return lines.reduce((sum, line) => sum + Number(line.trim().split(/\s+/)[1]) / 1024, 0);
}

async function isOk(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    // Connection refused: the service isn't listening yet.
    return false;
  }
}

function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * part) - 1)] ?? NaN;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

void main();
