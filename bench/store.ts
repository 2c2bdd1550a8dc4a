/**
 * Performance of the store on this machine: throughput and latency of orders through the whole saga by number of replicas, idle memory,
 * image sizes, and start times of the services. Runs in a copy of the repository with its own stack, which is removed at the end. The
 * load generator uses CPU time of the same machine, so only comparisons within one run are meaningful elsewhere.
 *
 *     npx tsx bench/store.ts [orders per run]
 *
 * Linux only: elsewhere the services' IP addresses can't be reached from the host.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { TestStore } from "../test/integration/support/testStore";
import { addressOf, containerOf, detach, docker } from "./containers";
import { median, percentile, printTable } from "./measure";
import { addProduct, placeAndFinish, singleOrderTimes } from "./orders";
import { withStores } from "./withStores";

/** Number of single orders, enough for a p99. */
const SINGLE_ORDERS = 300;
const REPLICAS = [1, 2, 4];

async function main(): Promise<void> {
  const orders = Number(process.argv[2] ?? 600);
  await withStores(async (create, stop) => {
    const store = await create();
    await store.succeed("up");
    await idle(store);
    await coldStarts(store, stop);
    await saga(store, orders, stop);
  });
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
async function coldStarts(store: TestStore, stop: AbortSignal): Promise<void> {
  const rows: string[][] = [];
  for (const name of ["inventory", "orders", "billing", "shipping", "storefront"]) {
    const container = await containerOf(store, name);
    const times: number[] = [];
    // Attaches it now, not while its start is measured.
    await addressOf(container);
    for (let round = 0; round < 3; round++) {
      await docker("stop", "--time", "1", container.id);
      const start = performance.now();
      await docker("start", container.id);
      const url = `http://${await addressOf(container)}:3000/readyz`;
      while (!(await isOk(url))) {
        stop.throwIfAborted();
        await sleep(10);
      }
      times.push(performance.now() - start);
    }
    await detach(container);
    rows.push([name, median(times).toFixed(0)]);
  }
  printTable(["start of a container until ready", "ms"], rows);
}

/** Prints throughput and latency of orders through the gateway and the whole saga. */
async function saga(store: TestStore, orders: number, stop: AbortSignal): Promise<void> {
  const staff = await addProduct(store);
  const rows: string[][] = [];
  let oneReplica: number | undefined;
  for (const replicas of REPLICAS) {
    store.configure({ replicas: { orders: replicas } });
    await store.succeed("up");
    await placeAndFinish(store, 100, staff, stop);
    const perSecond = await placeAndFinish(store, orders, staff, stop);
    oneReplica ??= perSecond;
    const times = await singleOrderTimes(store, SINGLE_ORDERS, stop);
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

void main();
