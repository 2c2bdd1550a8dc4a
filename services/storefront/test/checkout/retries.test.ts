import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import type { TestStoreProcesses } from "@store/kit/testing";
import { ADA, fillCheckout, openCheckout } from "../support/purchase.ts";
import { locationOf, ShopClient } from "../support/shopClient.ts";
import { countNewOrders, setAvailable, sharedStore } from "../support/testStore.ts";

describe("the storefront's checkout after lost responses and concurrent changes", () => {
  let store: TestStoreProcesses;
  let client: ShopClient;

  before(async () => {
    store = await sharedStore();
    await setAvailable(store, "MUG-STONE", 500);
    await setAvailable(store, "BOARD-OAK", 500);
  });
  beforeEach(() => (client = new ShopClient(store.gateway.url)));
  afterEach(() => {
    store.gateway.dropResponse = undefined;
    store.gateway.intercept = undefined;
  });

  const isOrder = ({ method, url }: IncomingMessage) => method === "POST" && url === "/api/orders";

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
      const placed = await countNewOrders(store, async () => {
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
      const placed = await countNewOrders(store, async () => {
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
      const placed = await countNewOrders(store, async () => {
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
    it("redirects to the order that reserved the item, when its form is submitted again", async () => {
      await setAvailable(store, "CANDLE-CEDAR", 1);
      const placed = await countNewOrders(store, async () => {
        const page = await openCheckout(client, { "CANDLE-CEDAR": 1 });
        store.gateway.dropResponse = isOrder;
        await client.post("/checkout", fillCheckout(page));
        store.gateway.dropResponse = undefined;
        await setAvailable(store, "CANDLE-CEDAR", 0);
        assert.match(locationOf(await client.post("/checkout", fillCheckout(page))), /^\/orders\//);
      });
      assert.equal(placed, 1);
    });

    it("says that nothing was ordered only if a delayed earlier attempt can't place the order either", async () => {
      await setAvailable(store, "CANDLE-CEDAR", 1);
      const placed = await countNewOrders(store, async () => {
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
        await setAvailable(store, "CANDLE-CEDAR", 0);
        const kept = lost.form("/checkout");
        const answer = await client.post("/checkout", { ...kept, city: "Hobart" });
        assert.match(
          answer.visibleText,
          /Some items are no longer available\. Your order has not been placed yet/,
        );
        const { key, attempt } = answer.form("/checkout");
        assert.notEqual(key, kept.key);
        assert.equal(attempt, undefined);
        await setAvailable(store, "CANDLE-CEDAR", 1);
        assert.equal(await deliverDelayed?.(), 422);
      });
      assert.equal(placed, 0);
    });
  });

  it("keeps the form when the response is lost, and finds the order when it is submitted again", async () => {
    const placed = await countNewOrders(store, async () => {
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
    const placed = await countNewOrders(store, async () => {
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
});
