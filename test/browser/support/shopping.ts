import type { TestStoreProcesses } from "@store/kit/testing";
import type { Visit } from "./browser.ts";

/** Puts something into the basket with the mouse. */
export async function addToBasket({ page }: Visit, sku: string, quantity = 1): Promise<void> {
  await page.goto(`/products/${sku}`);
  await page.getByLabel("Quantity").fill(String(quantity));
  await page.getByRole("button", { name: "Add to basket" }).click();
  await page.waitForURL(/\/basket\?added/);
}

/** Goes from the basket to the checkout and fills its form in. */
export async function fillCheckout({ page }: Visit, card = "Card that pays"): Promise<void> {
  await page.getByRole("link", { name: "Go to checkout" }).click();
  await page.getByLabel("Full name").fill("Ada Lovelace");
  await page.getByLabel("E-mail").fill("ada@example.org");
  await page.getByLabel("Street and number").fill("12 Hill Street");
  await page.getByLabel("Postcode").fill("3000");
  await page.getByLabel("Town or city").fill("Melbourne");
  await page.getByText(card, { exact: true }).click();
}

export async function placeOrder({ page }: Visit): Promise<void> {
  await page.getByRole("button", { name: "Place order" }).click();
  await page.waitForURL(/\/orders\/[0-9a-f-]{36}$/);
}

export async function countOrders({ databases }: TestStoreProcesses): Promise<number> {
  const [row] = await databases.orders.query<{ count: number }>(
    "SELECT count(*)::integer AS count FROM orders",
  );
  return row?.count ?? 0;
}

export async function setOnHand(
  { databases }: TestStoreProcesses,
  sku: string,
  free: number,
): Promise<void> {
  await databases.inventory.query("UPDATE products SET on_hand = held + $2 WHERE sku = $1", [
    sku,
    free,
  ]);
}
