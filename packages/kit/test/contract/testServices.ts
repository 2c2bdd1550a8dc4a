import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import {
  createDatabase,
  createStaff,
  startService,
  until,
  type RunningService,
  type TestStaff,
} from "../support/index.ts";
import type { KnownValues } from "./values.ts";

/** Services in the order of their tests. orders comes first, because the tests of the others change the data that it uses. */
export const names = ["orders", "inventory", "billing", "shipping"] as const;
export type Name = (typeof names)[number];

/** All services with an OpenAPI document, as processes that call each other, with some orders. */
export interface TestServices {
  readonly services: Readonly<Record<Name, RunningService>>;
  readonly staff: TestStaff;
  readonly known: Readonly<Record<Name, KnownValues>>;
  stop(): Promise<void>;
}

export async function startTestServices(): Promise<TestServices> {
  const staff = createStaff();
  const start = async (name: Name, environment: Readonly<Record<string, string>> = {}) =>
    startService(name, {
      ...(await createDatabase()).environment,
      ...staff.environment,
      ...environment,
    });
  const inventory = await start("inventory", { DEMO_DATA: "true" });
  const billing = await start("billing", { SIMULATED_SLOW_MS: "0", SIMULATED_FLAKY_RATE: "1" });
  const shipping = await start("shipping");
  const orders = await start("orders", {
    INVENTORY_URL: inventory.url,
    BILLING_URL: billing.url,
    SHIPPING_URL: shipping.url,
  });
  const services = { inventory, billing, shipping, orders };
  const all = Object.values(services);
  await Promise.all(all.map((service) => service.ready()));
  return {
    services,
    staff,
    known: await knownOf(services, staff),
    stop: async () => {
      await orders.stop();
      await Promise.all(all.map((service) => service.stop()));
    },
  };
}

const skus = ["MUG-STONE", "VASE-BUD", "NOTEBOOK-DOT"];
/** Ids chosen by callers. */
const chosen = [1, 2, 3].map((n) => `00000000-0000-4000-8000-00000000000${n}`);

/**
 * The token of a payment that never ends, so that its order stays pending. Not sent to billing directly, which would rightly respond
 * 503.
 */
const ENDLESS_PAYMENT_TOKEN = "tok_flaky";

/** Places orders, waits until they are confirmed and returns the ids that exist in each service. */
async function knownOf(
  { orders, inventory, billing, shipping }: TestServices["services"],
  staff: TestStaff,
): Promise<TestServices["known"]> {
  const placeAll = (numbers: readonly number[]) =>
    Promise.all(numbers.map((n) => place(orders, `known-${n}`, "tok_ok")));
  const placed = await placeAll([0, 1, 2, 3]);
  // Separate ones: the requests to orders cancel theirs, with payments and parcels, and so do the refunds among the requests to billing.
  const paid = await placeAll([4, 5, 6, 7]);
  const packed = await placeAll([8, 9, 10, 11]);
  await Promise.all(
    [...placed, ...paid, ...packed].map((id) =>
      until("the order is confirmed", async () => {
        const order = (await orders.json(`/api/orders/${id}`)) as { readonly status: string };
        return order.status === "confirmed";
      }),
    ),
  );
  const pending = await place(orders, "known-pending", ENDLESS_PAYMENT_TOKEN);
  const idsOf = async (service: RunningService, path: string, ofOrders: readonly string[]) => {
    const found = await Promise.all(
      ofOrders.map(async (order) => {
        const answer = await service.json(`${path}?order=${order}`, { headers: staff.headers });
        return (answer as { readonly items: readonly { readonly id: string }[] }).items;
      }),
    );
    return found.flat().map(({ id }) => id);
  };
  const unknown = (count: number) => Array.from({ length: count }, () => randomUUID());
  const common = { sku: skus, currency: ["AUD"], country: ["AU", "NZ"] };
  return {
    inventory: {
      ...common,
      id: [...chosen, await reserve(inventory)],
      skus: ["MUG-STONE,VASE-BUD", "NOPE"],
      file: ["MUG-STONE.svg", "none.svg"],
      q: ["stone", "lamp brass"],
      "if-match": ["*", '"1"'],
    },
    billing: {
      ...common,
      id: [...chosen, ...(await idsOf(billing, "/api/billing/payments", paid))],
      order: [...chosen, ...paid],
      token: ["tok_ok", "tok_declined", "tok_insufficient_funds", "tok_slow"],
    },
    shipping: {
      ...common,
      // Unknown ones, too: each parcel can be created or cancelled in advance once.
      id: [...unknown(20), ...(await idsOf(shipping, "/api/shipping/shipments", packed))],
      order: [...unknown(60), ...packed],
    },
    orders: {
      ...common,
      id: [...placed, pending],
      after: [...placed, pending],
      token: ["tok_ok", "tok_declined", "tok_insufficient_funds"],
      "idempotency-key": ["known-0", "key-1", "key-2"],
    },
  };
}

/** Creates a reservation, because random requests create too few for a commit to succeed in every run. */
async function reserve(inventory: RunningService): Promise<string> {
  const id = randomUUID();
  const response = await inventory.fetch(`/internal/reservations/${id}`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ lines: [{ sku: "MUG-STONE", quantity: 1 }] }),
  });
  assert.equal(response.status, 200);
  return id;
}

async function place(orders: RunningService, key: string, token: string): Promise<string> {
  const response = await orders.fetch("/api/orders", {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": key },
    body: JSON.stringify({
      customer: {
        name: "Ada Lovelace",
        email: "ada@example.org",
        address: { line1: "1 Analytical St", city: "Perth", postcode: "6000", country: "AU" },
      },
      items: [{ sku: "MUG-STONE", quantity: 1 }],
      payment: { token },
    }),
  });
  assert.equal(response.status, 202);
  return ((await response.json()) as { readonly id: string }).id;
}
