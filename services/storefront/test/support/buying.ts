import { locationOf, type Page, type Visitor } from "./visitor.ts";

export const ADA = {
  name: "Ada Lovelace",
  email: "ada@example.org",
  line1: "12 Hill Street",
  line2: "",
  city: "Melbourne",
  postcode: "3000",
  country: "AU",
};

/** Puts things into the basket and goes to the checkout. */
export async function toCheckout(
  visitor: Visitor,
  things: Readonly<Record<string, number>>,
): Promise<Page> {
  for (const [sku, quantity] of Object.entries(things)) {
    await visitor.submit("/basket/add", { sku, quantity: String(quantity) });
  }
  return visitor.get("/checkout");
}

/** What the checkout's form sends once it is filled in. */
export function filledIn(
  page: Page,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return { ...page.form("/checkout"), ...ADA, ...more };
}

/** Buys things. @returns the path of the order's page. */
export async function buy(
  visitor: Visitor,
  things: Readonly<Record<string, number>>,
  token = "tok_ok",
): Promise<string> {
  const page = await toCheckout(visitor, things);
  return locationOf(await visitor.post("/checkout", filledIn(page, { token })));
}
