import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import type { TestStoreProcesses } from "@store/kit/testing";
import { ADA, buy, filledIn, toCheckout } from "./support/buying.ts";
import { shop } from "./support/shop.ts";
import { locationOf, Visitor } from "./support/visitor.ts";

describe("the storefront's checkout", function () {
  this.timeout(60_000);
  let store: TestStoreProcesses;
  let visitor: Visitor;

  before(async () => {
    store = await shop();
    await store.databases.inventory.query(
      "UPDATE products SET on_hand = 500 WHERE sku IN ('MUG-STONE', 'BOARD-OAK')",
    );
  });
  beforeEach(() => (visitor = new Visitor(store.gateway.url)));
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
  /** How many orders were placed meanwhile. */
  const counting = async (work: () => Promise<void>) => {
    const before = await ordersPlaced();
    await work();
    return (await ordersPlaced()) - before;
  };
  const isOrder = ({ method, url }: IncomingMessage) => method === "POST" && url === "/api/orders";

  it("places the order that was shown, empties the basket and leads to the order's page", async () => {
    const page = await toCheckout(visitor, { "MUG-STONE": 2 });
    assert.match(page.words, /2 × Stoneware Mug \$58\.00/);
    assert.match(page.words, /To pay \$58\.00/);
    // What another window puts into the basket isn't bought unseen.
    await visitor.submit("/basket/add", { sku: "BOARD-OAK", quantity: "1" });
    const placed = await visitor.post("/checkout", filledIn(page));
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
    assert.equal(visitor.cookies.get("basket"), "BOARD-OAK*1");
  });

  it("lists every country that an order may go to, by its name", async () => {
    const { text } = await toCheckout(visitor, { "MUG-STONE": 1 });
    const document = (await store.services.orders.json("/api/orders/openapi.json")) as object;
    const codes = [...text.matchAll(/<option\s+value="([A-Z]{2})"/g)].map(([, code]) => code);
    const published = /"country":\{[^}]*"enum":(\[[^\]]*\])/.exec(JSON.stringify(document))?.[1];
    assert.deepEqual(codes.toSorted(), (JSON.parse(published ?? "[]") as string[]).toSorted());
    assert.match(text, /<option\s+value="NZ"\s*>\s*New Zealand/);
    assert.match(text, /<option\s+value="AU"\s+selected\s*>\s*Australia/);
  });

  it("makes one order of a form that is sent twice at once, again later, and from the history", async () => {
    const placed = await counting(async () => {
      const fields = filledIn(await toCheckout(visitor, { "MUG-STONE": 1 }));
      const impatient = visitor.clone();
      const both = await Promise.all([
        visitor.post("/checkout", fields),
        impatient.post("/checkout", fields),
      ]);
      const [first, second] = both.map(locationOf);
      assert.equal(first, second);
      // Since then something else was put into the basket. It stays there.
      await visitor.submit("/basket/add", { sku: "MUG-STONE", quantity: "3" });
      assert.equal(locationOf(await visitor.post("/checkout", fields)), first);
      assert.equal(visitor.cookies.get("basket"), "MUG-STONE*3");
    });
    assert.equal(placed, 1);
  });

  it("says that a form was sent before when it comes again with something else in it", async () => {
    const placed = await counting(async () => {
      const fields = filledIn(await toCheckout(visitor, { "MUG-STONE": 1 }));
      await visitor.submit("/checkout", fields);
      const again = await visitor.post("/checkout", { ...fields, city: "Hobart" });
      assert.equal(again.status, 422);
      assert.match(again.words, /This form was sent before/);
      assert.equal(again.form("/checkout").city, "Hobart");
      assert.notEqual(again.form("/checkout").key, fields["key"]);
    });
    assert.equal(placed, 1);
  });

  it("puts what is wrong next to its field, and keeps what was entered", async () => {
    const page = await toCheckout(visitor, { "MUG-STONE": 1 });
    const sent = { ...filledIn(page), email: "ada at example", city: " ", token: "tok_declined" };
    const answer = await visitor.post("/checkout", sent);
    assert.equal(answer.status, 400);
    assert.match(answer.text, /role="alert"[^>]*>\s*<p>Something is missing or not quite right/);
    for (const [field, words] of [
      ["email", "This doesn’t look like an e-mail address"],
      ["city", "Please tell us the town or city"],
    ] as const) {
      assert.match(answer.text, new RegExp(`id="${field}-error">${words}`));
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
    // Put right, it goes through.
    assert.equal((await visitor.post("/checkout", { ...kept, ...ADA })).status, 303);
  });

  it("names every field that is missing", async () => {
    const { key, basket, total } = (await toCheckout(visitor, { "MUG-STONE": 1 })).form(
      "/checkout",
    );
    const { status, text } = await visitor.post("/checkout", {
      key: key ?? "",
      basket: basket ?? "",
      total: total ?? "",
    });
    assert.equal(status, 400);
    const named = [...text.matchAll(/id="(\w+)-error"/g)].map(([, field]) => field);
    assert.deepEqual(named, ["name", "email", "line1", "postcode", "city", "country", "token"]);
  });

  it("names what was sold in between with how many are left, and goes on with fewer", async () => {
    const set = (onHand: number) =>
      store.databases.inventory.query(
        "UPDATE products SET on_hand = held + $1 WHERE sku = 'CANDLE-CEDAR'",
        [onHand],
      );
    await set(5);
    const page = await toCheckout(visitor, { "CANDLE-CEDAR": 4, "MUG-STONE": 1 });
    await set(2);
    const placed = await counting(async () => {
      const answer = await visitor.post("/checkout", filledIn(page));
      assert.equal(answer.status, 422);
      assert.match(answer.words, /Something was sold in the meantime, so nothing is ordered yet/);
      assert.match(answer.words, /Only 2 of Cedar & Smoke Candle are left/);
      assert.match(answer.text, /name="adjust"\s+value="CANDLE-CEDAR\*2"/);

      const fewer = await visitor.post("/checkout", {
        ...answer.form("/checkout"),
        adjust: "CANDLE-CEDAR*2",
      });
      assert.equal(fewer.status, 200);
      assert.match(fewer.words, /2 × Cedar/);
      assert.equal(visitor.cookies.get("basket"), "CANDLE-CEDAR*2~MUG-STONE*1");
      const form = fewer.form("/checkout");
      assert.deepEqual({ ...form, ...ADA }, form);
      assert.equal((await visitor.post("/checkout", form)).status, 303);
    });
    assert.equal(placed, 1);
  });

  describe("while prices change", () => {
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

    it("never orders at another price than was shown", async () => {
      const page = await toCheckout(visitor, { "MUG-STONE": 1 });
      await setPrice(3100);
      const placed = await counting(async () => {
        const answer = await visitor.post("/checkout", filledIn(page));
        assert.equal(answer.status, 422);
        assert.match(
          answer.words,
          /Our prices have changed since you saw them: it is \$31\.00 now\. Nothing is ordered yet/,
        );
        assert.match(answer.words, /To pay \$31\.00/);
        const form = answer.form("/checkout");
        assert.deepEqual({ ...form, ...ADA }, form);
        // Loaded again, or sent again from the history, it is what it was. Nor does the old price coming back make it an order.
        await setPrice(2900);
        const again = await visitor.post("/checkout", filledIn(page));
        assert.match(again.words, /Nothing is ordered yet/);
        await setPrice(3100);
        const path = locationOf(await visitor.post("/checkout", form));
        assert.equal(await totalOf(path), 3100);
      });
      assert.equal(placed, 1);
    });

    it("orders at none where the form doesn't say which was shown", async () => {
      const page = await toCheckout(visitor, { "MUG-STONE": 1 });
      const fields = filledIn(page);
      const placed = await counting(async () => {
        for (const total of ["", "$29.00", "2900", "-1 AUD", "1e3 AUD", "2900 aud"]) {
          const answer = await visitor.post("/checkout", { ...fields, total });
          assert.equal(answer.status, 400, total);
          assert.match(answer.words, /Please look at what it comes to, \$29\.00/);
          assert.deepEqual(answer.form("/checkout"), fields);
        }
      });
      assert.equal(placed, 0);
    });

    it("leads to the order that was taken at the old price, although its answer was lost", async () => {
      const placed = await counting(async () => {
        const page = await toCheckout(visitor, { "MUG-STONE": 1 });
        store.gateway.dropResponse = isOrder;
        const lost = await visitor.post("/checkout", filledIn(page));
        store.gateway.dropResponse = undefined;
        await setPrice(3100);
        // The form as it came back, as it was (loaded again, or from the history), and with something else in it.
        const forms = [
          lost.form("/checkout"),
          filledIn(page),
          { ...lost.form("/checkout"), city: "Hobart" },
        ];
        const paths = new Set<string>();
        for (const form of forms) paths.add(locationOf(await visitor.post("/checkout", form)));
        const [path = "", ...others] = paths;
        assert.deepEqual(others, []);
        assert.equal(await totalOf(path), 2900);
      });
      assert.equal(placed, 1);
    });
  });

  describe("of the last one", () => {
    const stock = (onHand: number) =>
      store.databases.inventory.query(
        "UPDATE products SET on_hand = held + $1 WHERE sku = 'CANDLE-CEDAR'",
        [onHand],
      );

    it("leads to the order that has it, however often the form is sent", async () => {
      await stock(1);
      const placed = await counting(async () => {
        const page = await toCheckout(visitor, { "CANDLE-CEDAR": 1 });
        store.gateway.dropResponse = isOrder;
        await visitor.post("/checkout", filledIn(page));
        store.gateway.dropResponse = undefined;
        await stock(0);
        assert.match(locationOf(await visitor.post("/checkout", filledIn(page))), /^\/orders\//);
      });
      assert.equal(placed, 1);
    });

    it("says that nothing is ordered only when nothing will be, also by an attempt that is still on its way", async () => {
      await stock(1);
      const placed = await counting(async () => {
        const page = await toCheckout(visitor, { "CANDLE-CEDAR": 1 });
        let arrive: (() => Promise<number>) | undefined;
        store.gateway.intercept = (request, response) => {
          if (!isOrder(request)) return false;
          void text(request).then((body) => {
            arrive = async () => {
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
        const lost = await visitor.post("/checkout", filledIn(page));
        assert.equal(lost.status, 503);
        store.gateway.intercept = undefined;
        await stock(0);
        const kept = lost.form("/checkout");
        const answer = await visitor.post("/checkout", { ...kept, city: "Hobart" });
        assert.match(answer.words, /Something was sold in the meantime, so nothing is ordered yet/);
        const { key, attempt } = answer.form("/checkout");
        assert.notEqual(key, kept.key);
        assert.equal(attempt, undefined);
        await stock(1);
        assert.equal(await arrive?.(), 422);
      });
      assert.equal(placed, 0);
    });
  });

  it("keeps the form when the answer is lost, and pressing again finds the one order", async () => {
    const placed = await counting(async () => {
      const page = await toCheckout(visitor, { "MUG-STONE": 1 });
      store.gateway.dropResponse = isOrder;
      const answer = await visitor.post("/checkout", filledIn(page));
      assert.equal(answer.status, 503);
      assert.match(answer.words, /we don’t know whether yours has reached us/);
      const { attempt, ...form } = answer.form("/checkout");
      assert.deepEqual(form, filledIn(page));
      store.gateway.dropResponse = undefined;
      const again = await visitor.post("/checkout", { ...form, attempt: attempt ?? "" });
      assert.match(locationOf(again), /^\/orders\//);
      assert.equal(visitor.cookies.get("basket"), undefined);
    });
    assert.equal(placed, 1);
  });

  it("leads to the order that was taken, although the form was changed after its answer was lost", async () => {
    const placed = await counting(async () => {
      const page = await toCheckout(visitor, { "MUG-STONE": 1 });
      store.gateway.dropResponse = isOrder;
      const lost = await visitor.post("/checkout", filledIn(page));
      store.gateway.dropResponse = undefined;
      const changed = { ...lost.form("/checkout"), city: "Hobart" };
      assert.match(locationOf(await visitor.post("/checkout", changed)), /^\/orders\//);
    });
    assert.equal(placed, 1);
  });

  const without = async <T>(name: "orders" | "inventory", work: () => Promise<T>): Promise<T> => {
    const { targets } = store.gateway;
    targets.set(name, undefined);
    return work().finally(() => targets.set(name, store.services[name].url));
  };

  it("keeps the form when orders is away", async () => {
    const page = await toCheckout(visitor, { "MUG-STONE": 1 });
    const answer = await without("orders", () => visitor.post("/checkout", filledIn(page)));
    assert.equal(answer.status, 503);
    const { attempt: _attempt, ...form } = answer.form("/checkout");
    assert.deepEqual(form, filledIn(page));
    assert.equal((await visitor.post("/checkout", form)).status, 303);
  });

  it("needs no catalogue to say what is wrong, nor to order", async () => {
    const page = await toCheckout(visitor, { "MUG-STONE": 1 });
    await without("inventory", async () => {
      const wrong = await visitor.post("/checkout", filledIn(page, { email: "ada" }));
      assert.equal(wrong.status, 400);
      assert.match(wrong.words, /E-mail: This doesn’t look like an e-mail address/);
      assert.match(wrong.words, /To pay \$29\.00/);
      const form = wrong.form("/checkout");
      assert.deepEqual(form, filledIn(page, { email: "ada" }));
      assert.equal((await visitor.post("/checkout", { ...form, ...ADA })).status, 303);
    });
  });

  it("takes things back into the basket from an order that didn't go through", async () => {
    const path = await buy(visitor, { "MUG-STONE": 2 });
    const basket = await visitor.submit(`${path}/again`, {});
    assert.match(basket.words, /Stoneware Mug/);
    assert.equal(visitor.cookies.get("basket"), "MUG-STONE*2");
  });

  it("makes a new form of one whose key can't be one", async () => {
    const page = await toCheckout(visitor, { "MUG-STONE": 1 });
    for (const key of ["", "a\nb", "a b", "日", "\u0000", "x".repeat(256)]) {
      const answer = await visitor.post("/checkout", { ...filledIn(page), key });
      assert.equal(answer.status, 400, JSON.stringify(key));
      assert.match(answer.words, /didn’t reach us as we had made it, so nothing was ordered/);
      const form = answer.form("/checkout");
      assert.match(form.key ?? "", /^[0-9a-f-]{36}$/);
      assert.deepEqual({ ...form, key }, { ...filledIn(page), key });
    }
  });

  it("refuses a form from another site", async () => {
    const fields = filledIn(await toCheckout(visitor, { "MUG-STONE": 1 }));
    assert.equal(
      await counting(async () => {
        const { status } = await visitor.post("/checkout", fields, {
          origin: "https://evil.example",
        });
        assert.equal(status, 403);
      }),
      0,
    );
  });
});
