import assert from "node:assert/strict";
import { startStore, type TestStoreProcesses } from "@store/kit/testing";
import { ShopClient } from "./shopClient.ts";

let running: Promise<TestStoreProcesses> | undefined;

/** Starts the store that all test files share, because starting its five processes takes a while. */
export function sharedStore(): Promise<TestStoreProcesses> {
  return (running ??= startStore());
}

after(async () => {
  await (await running)?.stop();
});

/** Creates a clerk, who is logged in to the office, and a customer. */
export async function createOfficeClients({
  gateway,
  staff,
}: TestStoreProcesses): Promise<{ clerk: ShopClient; customer: ShopClient }> {
  const clerk = new ShopClient(gateway.url);
  await clerk.post("/office/login", { token: staff.token });
  return { clerk, customer: new ShopClient(gateway.url) };
}

/** Counts the orders that are placed during an action. */
export async function countNewOrders(
  store: TestStoreProcesses,
  action: () => Promise<void>,
): Promise<number> {
  const before = await countOrders(store);
  await action();
  return (await countOrders(store)) - before;
}

async function countOrders({ databases }: TestStoreProcesses): Promise<number> {
  const [row] = await databases.orders.query<{ count: number }>(
    "SELECT count(*)::integer AS count FROM orders",
  );
  return row?.count ?? assert.fail("no count");
}

/** Sets the quantity of a product that can still be ordered. */
export async function setAvailable(
  { databases }: TestStoreProcesses,
  sku: string,
  quantity: number,
): Promise<void> {
  await databases.inventory.query("UPDATE products SET on_hand = held + $2 WHERE sku = $1", [
    sku,
    quantity,
  ]);
}

/** Drops the responses to writing requests with this path during an action; the requests themselves take effect. */
export async function dropResponses<T>(
  { gateway }: TestStoreProcesses,
  path: string,
  action: () => Promise<T>,
): Promise<T> {
  gateway.dropResponse = ({ method, url = "" }) => method !== "GET" && url.includes(path);
  return action().finally(() => (gateway.dropResponse = undefined));
}
