/** Clients that place orders through the gateway of a test store. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { TestStore } from "../test/integration/support/testStore";

/** Number of concurrent clients. Each places its next order after the previous response. */
export const CLIENTS = 16;

/** A store under load. */
export type BenchStore = Pick<TestStore, "url" | "succeed" | "json">;

/** Headers of staff's requests. */
export type StaffHeaders = Readonly<Record<string, string>>;

/** Adds the product that the clients order. @returns the headers of staff's requests. */
export async function addProduct(store: BenchStore): Promise<StaffHeaders> {
  const token = (await store.succeed("token")).trim();
  const staff = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  await put(`${store.url}/api/inventory/products/BENCH`, staff, {
    name: "Bench",
    description: "Product for benchmarks",
    price: { amount: 1000, currency: "AUD" },
    onHand: 1_000_000,
  });
  return staff;
}

/**
 * Places orders by {@link CLIENTS} clients, until none is pending.
 *
 * @returns orders per second.
 * @throws Error if an order wasn't confirmed, or if the benchmark is interrupted.
 */
export async function placeAndFinish(
  store: BenchStore,
  orders: number,
  staff: StaffHeaders,
  stop: AbortSignal,
): Promise<number> {
  const start = performance.now();
  let left = orders;
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      while (left-- > 0) {
        stop.throwIfAborted();
        await place(store);
      }
    }),
  );
  while (await hasOrder(store, "pending", staff)) {
    stop.throwIfAborted();
    await sleep(20);
  }
  const perSecond = (orders * 1000) / (performance.now() - start);
  for (const status of UNCONFIRMED) if (await hasOrder(store, status, staff)) throw invalid(status);
  return perSecond;
}

/** Returns the milliseconds from POST to `confirmed` of single orders, each placed after the previous one was confirmed. */
export async function singleOrderTimes(
  store: BenchStore,
  orders: number,
  stop: AbortSignal,
): Promise<number[]> {
  const times: number[] = [];
  for (let order = 0; order < orders; order++) {
    stop.throwIfAborted();
    const start = performance.now();
    const id = await place(store);
    for (let status = "pending"; status !== "confirmed";) {
      const answer = await fetch(`${store.url}/api/orders/${id}`);
      ({ status } = (await answer.json()) as { status: string });
      if (UNCONFIRMED.includes(status)) throw invalid(status);
      if (status !== "confirmed") await sleep(2);
    }
    times.push(performance.now() - start);
  }
  return times;
}

const UNCONFIRMED: readonly string[] = ["cancelled", "needs_attention"];

function invalid(status: string): Error {
  return new Error(`an order has the status ${status}, so the measurement is invalid`);
}

async function hasOrder(store: BenchStore, status: string, staff: StaffHeaders): Promise<boolean> {
  const path = `/api/orders?status=${status}&limit=1`;
  return (await store.json<{ items: unknown[] }>(path, staff)).items.length > 0;
}

/** Places an order. @returns its ID. */
async function place(store: BenchStore): Promise<string> {
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

async function put(url: string, headers: StaffHeaders, body: unknown): Promise<void> {
  const response = await fetch(url, { method: "PUT", headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
}
