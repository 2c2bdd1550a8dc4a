/**
 * What the store does on this machine: orders through the whole saga and how that grows with replicas, memory at rest, sizes of the
 * images, and how soon a service can serve. Works on a copy of this checkout with a store of its own, which it takes down
 * again. The load comes from the same machine, so that what it costs is missing to the store; only what is compared within
 * one run means something elsewhere.
 *
 *     npx tsx bench/store.ts [orders in a run]
 *
 * On Linux only: elsewhere the services' own addresses can't be reached from outside of Docker.
 */
import { randomUUID } from "node:crypto";
import { TestStore } from "../test/integration/testStore";
import { addressOf, containerOf, docker } from "./containers";
import { median, printTable } from "./measure";

/** Clients that place orders, each its next one when the last was answered. */
const CUSTOMERS = 16;
/** Of fewer, the slowest hundredth would be the slowest one. */
const AT_REST = 300;
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

/** Memory of each container before anybody has asked for anything, and the size of its image. */
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
  const all = rows.reduce((sum, { mebibytes }) => sum + mebibytes, 0);
  printTable(
    ["at rest", "resident MiB", "image MB"],
    [
      ...rows.map((row) => [row.name, row.mebibytes.toFixed(0), row.megabytes.toFixed(0)]),
      ["all", all.toFixed(0), ""],
    ],
  );
}

/** From the start of a container to its first answer that it can serve. */
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
      while (!(await isOk(url))) await pause(10);
      times.push(performance.now() - start);
    }
    rows.push([name, median(times).toFixed(0)]);
  }
  printTable(["start of a container until ready", "ms"], rows);
}

/** Orders through the whole saga, placed through the gateway. */
async function saga(store: TestStore, orders: number): Promise<void> {
  const token = (await store.succeed("token")).trim();
  const staff = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  await put(`${store.url}/api/inventory/products/BENCH`, staff, {
    name: "Bench",
    description: "To be measured with",
    price: { amount: 1000, currency: "AUD" },
    onHand: 1_000_000,
  });
  const rows: string[][] = [];
  let alone: number | undefined;
  for (const replicas of REPLICAS) {
    store.configure({ replicas: { orders: replicas } });
    await store.succeed("up");
    await placeAndFinish(store, 100, staff);
    const start = performance.now();
    await placeAndFinish(store, orders, staff);
    const perSecond = (orders * 1000) / (performance.now() - start);
    alone ??= perSecond;
    const times = await timesAtRest(store);
    rows.push([
      String(replicas),
      perSecond.toFixed(0),
      `${(perSecond / alone).toFixed(2)}×`,
      percentile(times, 0.5).toFixed(0),
      percentile(times, 0.99).toFixed(0),
    ]);
  }
  printTable(
    ["replicas of orders", "orders/s", "to one", "POST to confirmed: p50 ms", "p99 ms"],
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
    Array.from({ length: CUSTOMERS }, async () => {
      while (left-- > 0) await place(store);
    }),
  );
  for (;;) {
    const pending = await fetch(`${store.url}/api/orders?status=pending&limit=1`, {
      headers: staff,
    });
    const { items } = (await pending.json()) as { items: unknown[] };
    if (items.length === 0) return;
    await pause(20);
  }
}

/** Milliseconds from POST to `confirmed`, one order after the other. */
async function timesAtRest(store: TestStore): Promise<number[]> {
  const times: number[] = [];
  for (let order = 0; order < AT_REST; order++) {
    const start = performance.now();
    const id = await place(store);
    for (let status = "pending"; status !== "confirmed";) {
      const answer = await fetch(`${store.url}/api/orders/${id}`);
      ({ status } = (await answer.json()) as { status: string });
      if (status === "cancelled" || status === "needs_attention")
        throw new Error(`an order ended as ${status}: that is no measurement`);
      if (status !== "confirmed") await pause(2);
    }
    times.push(performance.now() - start);
  }
  return times;
}

/** @returns the order's id. */
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

/** Of all processes of a container, by what `docker top` prints in KiB. What several of PostgreSQL's share counts for each. */
function residentMebibytes(top: string): number {
  const [, ...lines] = top.split("\n");
  return lines.reduce((sum, line) => sum + Number(line.trim().split(/\s+/)[1]) / 1024, 0);
}

async function isOk(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    // Nobody listens yet.
    return false;
  }
}

function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * part) - 1)] ?? NaN;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

void main();
