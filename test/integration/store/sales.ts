import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { presetFields, ShopClient } from "../../support/shopClient";
import { eventually } from "../support/eventually";
import { TestStore } from "../support/testStore";

/** Defines tests that buy from a running store. */
export function testSales(running: () => TestStore): void {
  it("sells through the shop's forms, from the basket to a confirmed order", async () => {
    const store = running();
    // Like storefront's own tests, but through HAProxy, containers and networks.
    const client = new ShopClient(store.url);
    const { sku, name } = await productInStock(store);
    const added = await client.post("/basket/add", { sku, quantity: "2" });
    assert.equal(added.status, 303);
    const checkout = await client.get("/checkout");
    assert.match(checkout.text, new RegExp(`2 × ${name}`));
    const form = { ...presetFields(checkout), name: ADA.name, email: ADA.email, ...ADA.address };
    const foreign = await client.post("/checkout", form, "https://evil.example");
    assert.equal(foreign.status, 403);
    const { status, location = "" } = await client.post("/checkout", form);
    assert.equal(status, 303);
    assert.match(location, /^\/orders\/[0-9a-f-]{36}$/);
    await eventually(
      async () => (await client.get(location)).text.includes("your order is confirmed"),
      "the order isn't confirmed",
    );
  });

  it("sells through its API, and takes stock and money once", async () => {
    const store = running();
    const { sku, available, price } = await productInStock(store);
    const key = randomUUID();
    const place = () =>
      fetch(`${store.url}/api/orders`, {
        method: "POST",
        headers: { "content-type": "application/json", "idempotency-key": key },
        body: JSON.stringify({
          customer: ADA,
          items: [{ sku, quantity: 1 }],
          payment: { token: "tok_ok" },
        }),
      });
    const placed = await place();
    assert.equal(placed.status, 202);
    const location = placed.headers.get("location") ?? assert.fail("no Location");
    assert.deepEqual(await (await place()).json(), await placed.json());
    await eventually(
      async () => (await store.json<{ status: string }>(location)).status === "confirmed",
      "the order isn't confirmed",
    );
    assert.equal(
      (await store.json<{ available: number }>(`/api/inventory/products/${sku}`)).available,
      available - 1,
    );
    const order = location.split("/").at(-1) ?? "";
    const headers = { authorization: `Bearer ${(await store.succeed("token")).trim()}` };
    const { items } = await store.json<{ items: object[] }>(
      `/api/billing/payments?order=${order}`,
      headers,
    );
    assert.deepEqual(
      items.map((item) => ({ ...item, id: "", createdAt: "" })),
      [
        {
          ...{ id: "", order, status: "captured", amount: price, createdAt: "" },
          ...{ refunded: { ...price, amount: 0 }, refunds: [], disputes: [] },
        },
      ],
    );
  });
}

async function productInStock(store: TestStore): Promise<Product> {
  const { items } = await store.json<{ items: Product[] }>("/api/inventory/products?limit=50");
  const first = items.find(({ available }) => available >= 10);
  assert.ok(first, "there is nothing in stock");
  return first;
}

const ADA = {
  name: "Ada Lovelace",
  email: "ada@example.org",
  address: { line1: "12 Hill Street", city: "Melbourne", postcode: "3000", country: "AU" },
};

interface Product {
  readonly sku: string;
  readonly name: string;
  readonly available: number;
  readonly price: { readonly amount: number; readonly currency: string };
}
