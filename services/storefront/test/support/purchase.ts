import { until } from "@store/kit/testing";
import { locationOf, type Page, type ShopClient } from "./shopClient.ts";

/** Contact and delivery address of the test customer, as fields of the checkout form. */
export const ADA = {
  name: "Ada Lovelace",
  email: "ada@example.org",
  line1: "12 Hill Street",
  line2: "",
  city: "Melbourne",
  postcode: "3000",
  country: "AU",
};

/** Quantities by SKU. */
type Items = Readonly<Record<string, number>>;

/** Adds items to the basket and opens the checkout. */
export async function openCheckout(client: ShopClient, items: Items): Promise<Page> {
  for (const [sku, quantity] of Object.entries(items)) {
    await client.submit("/basket/add", { sku, quantity: String(quantity) });
  }
  return client.get("/checkout");
}

/** Fills in the checkout form of a page with the data of {@link ADA}. */
export function fillCheckout(
  page: Page,
  otherFields: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return { ...page.form("/checkout"), ...ADA, ...otherFields };
}

/** Buys items. @returns the path of the order's page. */
export async function buy(client: ShopClient, items: Items, token = "tok_ok"): Promise<string> {
  const page = await openCheckout(client, items);
  return locationOf(await client.post("/checkout", fillCheckout(page, { token })));
}

/** Buys an item and waits for the confirmation. @returns the paths of the order in the shop and in the office. */
export async function buyConfirmed(client: ShopClient): Promise<{ path: string; office: string }> {
  const path = await buy(client, { "MUG-STONE": 1 });
  await until("the order is confirmed", async () =>
    (await client.get(path)).visibleText.includes("your order is confirmed"),
  );
  return { path, office: `/office${path}` };
}
