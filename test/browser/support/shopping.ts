import type { TestStoreProcesses } from "@store/kit/testing";
import type { Locator, Page } from "playwright-core";
import type { BrowserWindow } from "./browser.ts";

/** Adds a product to the basket with the mouse. */
export async function addToBasket(
  { page }: BrowserWindow,
  sku: string,
  quantity = 1,
): Promise<void> {
  await page.goto(`/products/${sku}`);
  await page.getByLabel("Quantity").fill(String(quantity));
  await page.getByRole("button", { name: "Add to basket" }).click();
  await page.waitForURL(/\/basket\?added/);
}

/**
 * Goes from the basket to the checkout and fills in its form.
 *
 * @param token Payment method. Defaults to the one that succeeds at once.
 */
export async function fillCheckout({ page }: BrowserWindow, token = "tok_ok"): Promise<void> {
  await page.getByRole("link", { name: "Go to checkout" }).click();
  await page.getByLabel("Full name").fill("Ada Lovelace");
  await page.getByLabel("Email").fill("ada@example.org");
  await page.getByLabel("Street address").fill("12 Hill Street");
  await page.getByLabel("Postcode").fill("3000");
  await page.getByLabel("Town or city").fill("Melbourne");
  await paymentMethod(page, token).check();
}

/** The radio button of a payment method. */
export function paymentMethod(page: Page, token: string): Locator {
  return page.locator(`input[name="token"][value="${token}"]`);
}

export async function placeOrder({ page }: BrowserWindow): Promise<void> {
  await page.getByRole("button", { name: "Place order" }).click();
  await page.waitForURL(/\/orders\/[0-9a-f-]{36}$/);
}

/** Keeps billing from deciding payments during an action, so that its orders stay pending. */
export async function whilePaymentsWait(
  { databases }: TestStoreProcesses,
  action: () => Promise<void>,
): Promise<void> {
  const connection = await databases.billing.connect();
  try {
    await connection.query("BEGIN; LOCK TABLE payments IN EXCLUSIVE MODE");
    await action();
  } finally {
    await connection.end();
  }
}

export async function countOrders({ databases }: TestStoreProcesses): Promise<number> {
  const [row] = await databases.orders.query<{ count: number }>(
    "SELECT count(*)::integer AS count FROM orders",
  );
  return row?.count ?? 0;
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
