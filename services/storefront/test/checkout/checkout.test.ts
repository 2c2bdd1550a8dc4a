import assert from "node:assert/strict";
import type { TestStoreProcesses } from "@store/kit/testing";
import { ADA, buy, fillCheckout, openCheckout } from "../support/purchase.ts";
import { locationOf, ShopClient } from "../support/shopClient.ts";
import { countNewOrders, setAvailable, sharedStore } from "../support/testStore.ts";

describe("the storefront's checkout", () => {
  let store: TestStoreProcesses;
  let client: ShopClient;

  before(async () => {
    store = await sharedStore();
    await setAvailable(store, "MUG-STONE", 500);
    await setAvailable(store, "BOARD-OAK", 500);
  });
  beforeEach(() => (client = new ShopClient(store.gateway.url)));

  it("places the order as shown, empties the basket and redirects to the order's page", async () => {
    const page = await openCheckout(client, { "MUG-STONE": 2 });
    assert.match(page.visibleText, /2 × Stoneware Mug \$58\.00/);
    assert.match(page.visibleText, /Total \$58\.00/);
    // Items that another window adds to the basket are not ordered.
    await client.submit("/basket/add", { sku: "BOARD-OAK", quantity: "1" });
    const placed = await client.post("/checkout", fillCheckout(page));
    assert.equal(placed.status, 303);
    assert.match(locationOf(placed), /^\/orders\/[0-9a-f-]{36}$/);
    const { items, total } = (await (
      await fetch(`${store.gateway.url}/api${locationOf(placed)}`)
    ).json()) as { items: { sku: string; quantity: number }[]; total: object };
    assert.deepEqual(
      items.map(({ sku, quantity }) => [sku, quantity]),
      [["MUG-STONE", 2]],
    );
    assert.deepEqual(total, { amount: 5800, currency: "AUD" });
    assert.equal(client.cookies.get("basket"), "BOARD-OAK*1");
  });

  it("lists every country that the orders API accepts, by name", async () => {
    const { text } = await openCheckout(client, { "MUG-STONE": 1 });
    const document = (await store.services.orders.json("/api/orders/openapi.json")) as object;
    const codes = [...text.matchAll(/<option\s+value="([A-Z]{2})"/g)].map(([, code]) => code);
    const published = /"country":\{[^}]*"enum":(\[[^\]]*\])/.exec(JSON.stringify(document))?.[1];
    assert.deepEqual(codes.toSorted(), (JSON.parse(published ?? "[]") as string[]).toSorted());
    assert.match(text, /<option\s+value="NZ"\s*>\s*New Zealand/);
    assert.match(text, /<option\s+value="AU"\s+selected\s*>\s*Australia/);
  });

  it("places one order when a form is submitted twice concurrently and once more later", async () => {
    const placed = await countNewOrders(store, async () => {
      const fields = fillCheckout(await openCheckout(client, { "MUG-STONE": 1 }));
      const secondClick = client.clone();
      const both = await Promise.all([
        client.post("/checkout", fields),
        secondClick.post("/checkout", fields),
      ]);
      const [first, second] = both.map(locationOf);
      assert.equal(first, second);
      // Items that were added to the basket since then stay in it.
      await client.submit("/basket/add", { sku: "MUG-STONE", quantity: "3" });
      assert.equal(locationOf(await client.post("/checkout", fields)), first);
      assert.equal(client.cookies.get("basket"), "MUG-STONE*3");
    });
    assert.equal(placed, 1);
  });

  it("reports a form that was submitted before with other details, and offers a new form", async () => {
    const placed = await countNewOrders(store, async () => {
      const fields = fillCheckout(await openCheckout(client, { "MUG-STONE": 1 }));
      await client.submit("/checkout", fields);
      const again = await client.post("/checkout", { ...fields, city: "Hobart" });
      assert.equal(again.status, 422);
      assert.match(again.visibleText, /You have already submitted this form/);
      assert.equal(again.form("/checkout").city, "Hobart");
      assert.notEqual(again.form("/checkout").key, fields["key"]);
    });
    assert.equal(placed, 1);
  });

  it("shows each error next to its field, and keeps what was entered", async () => {
    const page = await openCheckout(client, { "MUG-STONE": 1 });
    const sent = {
      ...fillCheckout(page),
      email: "ada at example",
      city: " ",
      token: "tok_declined",
    };
    const answer = await client.post("/checkout", sent);
    assert.equal(answer.status, 400);
    assert.match(answer.text, /role="alert"[^>]*>\s*<p>Please correct the fields below/);
    for (const [field, message] of [
      ["email", "Enter an email address in the correct format"],
      ["city", "Enter your town or city"],
    ] as const) {
      assert.match(answer.text, new RegExp(`id="${field}-error">${message}`));
      assert.match(
        answer.text,
        new RegExp(
          `<input\\s+id="${field}"[^>]*aria-invalid="true"[^>]*aria-describedby="[^"]*${field}-error"`,
        ),
      );
      assert.match(answer.text, new RegExp(`href="#${field}"`));
    }
    assert.doesNotMatch(answer.text, /id="name-error"/);
    const kept = answer.form("/checkout");
    assert.deepEqual({ ...kept, city: " " }, sent);
    assert.match(answer.headers.get("cache-control") ?? "", /no-cache/);
    // The corrected form is accepted.
    assert.equal((await client.post("/checkout", { ...kept, ...ADA })).status, 303);
  });

  it("reports every missing field", async () => {
    const { key, basket, total } = (await openCheckout(client, { "MUG-STONE": 1 })).form(
      "/checkout",
    );
    const { status, text } = await client.post("/checkout", {
      key: key ?? "",
      basket: basket ?? "",
      total: total ?? "",
    });
    assert.equal(status, 400);
    const reported = [...text.matchAll(/id="(\w+)-error"/g)].map(([, field]) => field);
    assert.deepEqual(reported, ["name", "email", "line1", "postcode", "city", "country", "token"]);
  });

  it("reports items that sold out meanwhile, and continues with the quantity left", async () => {
    await setAvailable(store, "CANDLE-CEDAR", 5);
    const page = await openCheckout(client, { "CANDLE-CEDAR": 4, "MUG-STONE": 1 });
    await setAvailable(store, "CANDLE-CEDAR", 2);
    const placed = await countNewOrders(store, async () => {
      const answer = await client.post("/checkout", fillCheckout(page));
      assert.equal(answer.status, 422);
      assert.match(
        answer.visibleText,
        /Some items are no longer available\. Your order has not been placed yet/,
      );
      assert.match(answer.visibleText, /Cedar & Smoke Candle: only 2 left in stock/);
      assert.match(answer.text, /name="adjust"\s+value="CANDLE-CEDAR\*2"/);

      const reduced = await client.post("/checkout", {
        ...answer.form("/checkout"),
        adjust: "CANDLE-CEDAR*2",
      });
      assert.equal(reduced.status, 200);
      assert.match(reduced.visibleText, /2 × Cedar/);
      assert.equal(client.cookies.get("basket"), "CANDLE-CEDAR*2~MUG-STONE*1");
      const form = reduced.form("/checkout");
      assert.deepEqual({ ...form, ...ADA }, form);
      assert.equal((await client.post("/checkout", form)).status, 303);
    });
    assert.equal(placed, 1);
  });

  it("adds the items of an order to the basket again", async () => {
    const path = await buy(client, { "MUG-STONE": 2 });
    const basket = await client.submit(`${path}/again`, {});
    assert.match(basket.visibleText, /Stoneware Mug/);
    assert.equal(client.cookies.get("basket"), "MUG-STONE*2");
  });

  it("replaces a form with an invalid key by a new form", async () => {
    const page = await openCheckout(client, { "MUG-STONE": 1 });
    for (const key of ["", "a\nb", "a b", "日", "\u0000", "x".repeat(256)]) {
      const answer = await client.post("/checkout", { ...fillCheckout(page), key });
      assert.equal(answer.status, 400, JSON.stringify(key));
      assert.match(answer.visibleText, /your order was not placed/);
      const form = answer.form("/checkout");
      assert.match(form.key ?? "", /^[0-9a-f-]{36}$/);
      assert.deepEqual({ ...form, key }, { ...fillCheckout(page), key });
    }
  });

  it("rejects a form from another site", async () => {
    const fields = fillCheckout(await openCheckout(client, { "MUG-STONE": 1 }));
    assert.equal(
      await countNewOrders(store, async () => {
        const { status } = await client.post("/checkout", fields, {
          origin: "https://evil.example",
        });
        assert.equal(status, 403);
      }),
      0,
    );
  });
});
