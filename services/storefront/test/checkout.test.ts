import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import type { TestStoreProcesses } from "@store/kit/testing";
import { ADA, buy, fillCheckout, openCheckout } from "./support/purchase.ts";
import { sharedStore } from "./support/testStore.ts";
import { locationOf, ShopClient } from "./support/shopClient.ts";

describe("the storefront's checkout", function () {
  this.timeout(60_000);
  let store: TestStoreProcesses;
  let client: ShopClient;

  before(async () => {
    store = await sharedStore();
    await store.databases.inventory.query(
      "UPDATE products SET on_hand = 500 WHERE sku IN ('MUG-STONE', 'BOARD-OAK')",
    );
  });
  beforeEach(() => (client = new ShopClient(store.gateway.url)));
  afterEach(() => {
    store.gateway.dropResponse = undefined;
    store.gateway.intercept = undefined;
  });

  const ordersPlaced = async () => {
    const [row] = await store.databases.orders.query<{ count: number }>(
      "SELECT count(*)::integer AS count FROM orders",
    );
    return row?.count ?? assert.fail("no count");
  };
  /** Counts the orders that are placed during an action. */
  const countNewOrders = async (action: () => Promise<void>) => {
    const before = await ordersPlaced();
    await action();
    return (await ordersPlaced()) - before;
  };
  const isOrder = ({ method, url }: IncomingMessage) => method === "POST" && url === "/api/orders";

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
    const placed = await countNewOrders(async () => {
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
    const placed = await countNewOrders(async () => {
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
    const setAvailable = (onHand: number) =>
      store.databases.inventory.query(
        "UPDATE products SET on_hand = held + $1 WHERE sku = 'CANDLE-CEDAR'",
        [onHand],
      );
    await setAvailable(5);
    const page = await openCheckout(client, { "CANDLE-CEDAR": 4, "MUG-STONE": 1 });
    await setAvailable(2);
    const placed = await countNewOrders(async () => {
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

  describe("when prices change", () => {
    const setPrice = (amount: number) =>
      store.databases.inventory.query(
        "UPDATE products SET price_amount = $1 WHERE sku = 'MUG-STONE'",
        [amount],
      );
    const totalOf = async (order: string) => {
      const { total } = (await store.services.orders.json(`/api${order}`)) as {
        total: { amount: number };
      };
      return total.amount;
    };
    afterEach(() => setPrice(2900));

    it("never places an order at another price than the page showed", async () => {
      const page = await openCheckout(client, { "MUG-STONE": 1 });
      await setPrice(3100);
      const placed = await countNewOrders(async () => {
        const answer = await client.post("/checkout", fillCheckout(page));
        assert.equal(answer.status, 422);
        assert.match(
          answer.visibleText,
          /Prices have changed since you opened this page\. The new total is \$31\.00\. Your order has not been placed yet/,
        );
        assert.match(answer.visibleText, /Total \$31\.00/);
        const form = answer.form("/checkout");
        assert.deepEqual({ ...form, ...ADA }, form);
        // The rejected form stays rejected when it is submitted again, even if the old price is back.
        await setPrice(2900);
        const again = await client.post("/checkout", fillCheckout(page));
        assert.match(again.visibleText, /Your order has not been placed yet/);
        await setPrice(3100);
        const path = locationOf(await client.post("/checkout", form));
        assert.equal(await totalOf(path), 3100);
      });
      assert.equal(placed, 1);
    });

    it("places no order for a form without a valid total", async () => {
      const page = await openCheckout(client, { "MUG-STONE": 1 });
      const fields = fillCheckout(page);
      const placed = await countNewOrders(async () => {
        for (const total of ["", "$29.00", "2900", "-1 AUD", "1e3 AUD", "2900 aud"]) {
          const answer = await client.post("/checkout", { ...fields, total });
          assert.equal(answer.status, 400, total);
          assert.match(answer.visibleText, /Please check the total of \$29\.00/);
          assert.deepEqual(answer.form("/checkout"), fields);
        }
      });
      assert.equal(placed, 0);
    });

    it("redirects to the order that was placed at the old price when its response was lost", async () => {
      const placed = await countNewOrders(async () => {
        const page = await openCheckout(client, { "MUG-STONE": 1 });
        store.gateway.dropResponse = isOrder;
        const lost = await client.post("/checkout", fillCheckout(page));
        store.gateway.dropResponse = undefined;
        await setPrice(3100);
        // The form from the error page, the original form (reload, history), and a changed form.
        const forms = [
          lost.form("/checkout"),
          fillCheckout(page),
          { ...lost.form("/checkout"), city: "Hobart" },
        ];
        const paths = new Set<string>();
        for (const form of forms) paths.add(locationOf(await client.post("/checkout", form)));
        const [path = "", ...others] = paths;
        assert.deepEqual(others, []);
        assert.equal(await totalOf(path), 2900);
      });
      assert.equal(placed, 1);
    });
  });

  describe("when the last item is ordered", () => {
    const setAvailable = (onHand: number) =>
      store.databases.inventory.query(
        "UPDATE products SET on_hand = held + $1 WHERE sku = 'CANDLE-CEDAR'",
        [onHand],
      );

    it("redirects to the order that reserved the item, when its form is submitted again", async () => {
      await setAvailable(1);
      const placed = await countNewOrders(async () => {
        const page = await openCheckout(client, { "CANDLE-CEDAR": 1 });
        store.gateway.dropResponse = isOrder;
        await client.post("/checkout", fillCheckout(page));
        store.gateway.dropResponse = undefined;
        await setAvailable(0);
        assert.match(locationOf(await client.post("/checkout", fillCheckout(page))), /^\/orders\//);
      });
      assert.equal(placed, 1);
    });

    it("says that nothing was ordered only if a delayed earlier attempt can't place the order either", async () => {
      await setAvailable(1);
      const placed = await countNewOrders(async () => {
        const page = await openCheckout(client, { "CANDLE-CEDAR": 1 });
        let deliverDelayed: (() => Promise<number>) | undefined;
        store.gateway.intercept = (request, response) => {
          if (!isOrder(request)) return false;
          void text(request).then((body) => {
            deliverDelayed = async () => {
              const { headers } = request;
              const answer = await store.services.orders.fetch("/api/orders", {
                method: "POST",
                headers: {
                  "content-type": "application/json",
                  "idempotency-key": String(headers["idempotency-key"]),
                },
                body,
              });
              return answer.status;
            };
            response.destroy();
          });
          return true;
        };
        const lost = await client.post("/checkout", fillCheckout(page));
        assert.equal(lost.status, 503);
        store.gateway.intercept = undefined;
        await setAvailable(0);
        const kept = lost.form("/checkout");
        const answer = await client.post("/checkout", { ...kept, city: "Hobart" });
        assert.match(
          answer.visibleText,
          /Some items are no longer available\. Your order has not been placed yet/,
        );
        const { key, attempt } = answer.form("/checkout");
        assert.notEqual(key, kept.key);
        assert.equal(attempt, undefined);
        await setAvailable(1);
        assert.equal(await deliverDelayed?.(), 422);
      });
      assert.equal(placed, 0);
    });
  });

  it("keeps the form when the response is lost, and finds the order when it is submitted again", async () => {
    const placed = await countNewOrders(async () => {
      const page = await openCheckout(client, { "MUG-STONE": 1 });
      store.gateway.dropResponse = isOrder;
      const answer = await client.post("/checkout", fillCheckout(page));
      assert.equal(answer.status, 503);
      assert.match(answer.visibleText, /we don’t know whether your order was placed/);
      const { attempt, ...form } = answer.form("/checkout");
      assert.deepEqual(form, fillCheckout(page));
      store.gateway.dropResponse = undefined;
      const again = await client.post("/checkout", { ...form, attempt: attempt ?? "" });
      assert.match(locationOf(again), /^\/orders\//);
      assert.equal(client.cookies.get("basket"), undefined);
    });
    assert.equal(placed, 1);
  });

  it("redirects to the order that was placed when the form is changed after its response was lost", async () => {
    const placed = await countNewOrders(async () => {
      const page = await openCheckout(client, { "MUG-STONE": 1 });
      store.gateway.dropResponse = isOrder;
      const lost = await client.post("/checkout", fillCheckout(page));
      store.gateway.dropResponse = undefined;
      const changed = { ...lost.form("/checkout"), city: "Hobart" };
      assert.match(locationOf(await client.post("/checkout", changed)), /^\/orders\//);
    });
    assert.equal(placed, 1);
  });

  const whileDown = async <T>(
    name: "orders" | "inventory",
    action: () => Promise<T>,
  ): Promise<T> => {
    const { targets } = store.gateway;
    targets.set(name, undefined);
    return action().finally(() => targets.set(name, store.services[name].url));
  };

  it("keeps the form while the orders service is down", async () => {
    const page = await openCheckout(client, { "MUG-STONE": 1 });
    const answer = await whileDown("orders", () => client.post("/checkout", fillCheckout(page)));
    assert.equal(answer.status, 503);
    const { attempt: _attempt, ...form } = answer.form("/checkout");
    assert.deepEqual(form, fillCheckout(page));
    assert.equal((await client.post("/checkout", form)).status, 303);
  });

  it("reports errors and places orders while inventory is down", async () => {
    const page = await openCheckout(client, { "MUG-STONE": 1 });
    await whileDown("inventory", async () => {
      const wrong = await client.post("/checkout", fillCheckout(page, { email: "ada" }));
      assert.equal(wrong.status, 400);
      assert.match(wrong.visibleText, /Email: Enter an email address in the correct format/);
      assert.match(wrong.visibleText, /Total \$29\.00/);
      const form = wrong.form("/checkout");
      assert.deepEqual(form, fillCheckout(page, { email: "ada" }));
      assert.equal((await client.post("/checkout", { ...form, ...ADA })).status, 303);
    });
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
      await countNewOrders(async () => {
        const { status } = await client.post("/checkout", fields, {
          origin: "https://evil.example",
        });
        assert.equal(status, 403);
      }),
      0,
    );
  });
});
