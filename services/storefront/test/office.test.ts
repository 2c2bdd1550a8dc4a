import assert from "node:assert/strict";
import { until, type TestStoreProcesses } from "@store/kit/testing";
import { buy } from "./support/buying.ts";
import { shop } from "./support/shop.ts";
import { locationOf, Visitor } from "./support/visitor.ts";

describe("the storefront's back office", function () {
  this.timeout(60_000);
  let store: TestStoreProcesses;
  let clerk: Visitor;
  let customer: Visitor;

  before(async () => (store = await shop()));
  beforeEach(async () => {
    customer = new Visitor(store.gateway.url);
    clerk = new Visitor(store.gateway.url);
    await clerk.post("/office/login", { token: store.staff.token });
  });

  describe("its door", () => {
    const pages = [
      "/office/orders",
      "/office/parcels",
      "/office/stock",
      "/office/stock/MUG-STONE",
      "/office/new-product",
      "/office/orders/00000000-0000-4000-8000-000000000000",
    ];

    it("shows the login, and nothing else, to who isn't logged in or has a token of old", async () => {
      const former = new Visitor(store.gateway.url);
      former.cookies.set("office", "a-token-of-old");
      for (const visitor of [customer, former]) {
        for (const path of pages.filter((path) => visitor === customer || !path.includes("new"))) {
          const { status, text, words } = await visitor.get(path);
          assert.equal(status, 401, path);
          assert.match(words, /Token Log in/);
          assert.match(text, new RegExp(`name="next" value="${path}"`));
          assert.doesNotMatch(words, /Mug/);
        }
      }
    });

    it("keeps the right token in a cookie for the office alone, and leads where one wanted to go", async () => {
      const answer = await customer.post("/office/login", {
        token: store.staff.token,
        next: "/office/stock?q=mug",
      });
      assert.equal(locationOf(answer), "/office/stock?q=mug");
      assert.equal(
        answer.headers.get("set-cookie"),
        `office=${store.staff.token}; Path=/office; HttpOnly; SameSite=Strict`,
      );
      for (const next of ["https://evil.example", "//evil.example", "/office/../x\\", "/basket"]) {
        const { token } = store.staff;
        assert.equal(locationOf(await clerk.post("/office/login", { token, next })), "/office");
      }
    });

    it("says that a token is wrong", async () => {
      for (const token of ["wrong", "", "ü", "a b", `${store.staff.token}x`]) {
        const visitor = new Visitor(store.gateway.url);
        const { status, words } = await visitor.post("/office/login", { token });
        assert.equal(status, 401);
        assert.match(words, /That isn’t the store’s token/);
        assert.equal(visitor.cookies.size, 0);
      }
    });

    it("logs out", async () => {
      await clerk.post("/office/logout", {});
      assert.equal(clerk.cookies.size, 0);
      assert.equal((await clerk.get("/office/stock")).status, 401);
    });

    it("takes no form from another site, and keeps its pages out of every cache", async () => {
      const origin = "https://evil.example";
      const sent = await clerk.post("/office/stock/MUG-STONE", { onHand: "0" }, { origin });
      assert.equal(sent.status, 403);
      const { headers } = await clerk.get("/office/stock");
      assert.equal(headers.get("cache-control"), "private, no-store");
    });
  });

  describe("its stock", () => {
    const stocked = async (sku: string) =>
      (await store.services.inventory.json(`/api/inventory/stock/${sku}`, {
        headers: store.staff.headers,
      })) as { onHand: number; name: string; price: { amount: number } };

    it("is listed and searched", async () => {
      const all = await clerk.get("/office/stock");
      assert.match(all.words, /Product Price On hand Held To sell/);
      assert.match(all.words, /Stoneware Mug MUG-STONE \$29\.00/);
      const lamps = await clerk.get("/office/stock?q=desk%20lamp");
      assert.match(lamps.words, /LAMP-DESK/);
      assert.doesNotMatch(lamps.words, /MUG-STONE/);
    });

    it("is changed by what is saved, and the shop shows it", async () => {
      const form = (await clerk.get("/office/stock/VASE-BUD")).form("/office/stock/VASE-BUD");
      const saved = await clerk.submit("/office/stock/VASE-BUD", {
        ...form,
        name: "Bud Vase & Friends",
        price: "41.5",
        onHand: "77",
      });
      assert.match(saved.words, /VASE-BUD is saved/);
      const { name, price, onHand } = await stocked("VASE-BUD");
      assert.deepEqual([name, price.amount, onHand], ["Bud Vase & Friends", 4150, 77]);
      const page = await customer.get("/products/VASE-BUD");
      assert.match(page.text, /<h1>Bud Vase &amp; Friends<\/h1>/);
      assert.match(page.words, /\$41\.50/);
    });

    it("says that somebody else was faster, overwrites nothing, and shows both", async () => {
      const path = "/office/stock/TOTE-CANVAS";
      const mine = (await clerk.get(path)).form(path);
      const theirs = (await clerk.get(path)).form(path);
      await clerk.submit(path, { ...theirs, onHand: "55" });
      const answer = await clerk.post(path, { ...mine, onHand: "44", price: "12.00" });
      assert.equal(answer.status, 412);
      assert.match(answer.words, /Somebody else, or a sale, changed this product/);
      assert.match(answer.text, /id="onHand-error">It is now: 55/);
      assert.equal((await stocked("TOTE-CANVAS")).onHand, 55);
      const form = answer.form(path);
      assert.deepEqual([form.onHand, form.price], ["44", "12.00"]);
      await clerk.submit(path, form);
      assert.equal((await stocked("TOTE-CANVAS")).onHand, 44);
    });

    it("puts what is wrong next to its field and keeps what was entered", async () => {
      const path = "/office/stock/MUG-STONE";
      const form = (await clerk.get(path)).form(path);
      const before = await stocked("MUG-STONE");
      const wrong = { ...form, price: "1.234", onHand: "many", name: " " };
      const answer = await clerk.post(path, wrong);
      assert.equal(answer.status, 422);
      for (const field of ["price", "onHand", "name"]) {
        assert.match(answer.text, new RegExp(`id="${field}-error"`));
      }
      assert.deepEqual(answer.form(path), wrong);
      const control = await clerk.post(path, { ...form, name: "a\u0007b" });
      assert.equal(control.status, 400);
      assert.match(control.text, /id="name-error">This must have something in it that can be seen/);
      const unknown = await clerk.post(path, { ...form, currency: "ZZZ" });
      assert.equal(unknown.status, 400);
      assert.match(
        unknown.text,
        /id="price-error">This must be the three capital letters of a cur/,
      );
      assert.deepEqual(await stocked("MUG-STONE"), before);
    });

    it("doesn't let go below what is held for orders", async () => {
      const path = "/office/stock/MIRROR-ROUND";
      await store.databases.inventory.query(
        "UPDATE products SET on_hand = 5, held = 3 WHERE sku = 'MIRROR-ROUND'",
      );
      const answer = await clerk.post(path, {
        ...(await clerk.get(path)).form(path),
        onHand: "2",
      });
      assert.equal(answer.status, 409);
      assert.match(answer.text, /id="onHand-error">/);
      assert.equal((await stocked("MIRROR-ROUND")).onHand, 5);
      await store.databases.inventory.query(
        "UPDATE products SET held = 0 WHERE sku = 'MIRROR-ROUND'",
      );
    });

    it("gets a new product, which replaces none", async () => {
      const form = (await clerk.get("/office/new-product")).form("/office/new-product");
      const product = {
        ...form,
        sku: "JUG-BLUE",
        name: "Blue Jug",
        description: "For water.",
        price: "35",
        onHand: "3",
      };
      assert.match((await clerk.submit("/office/new-product", product)).words, /JUG-BLUE is saved/);
      assert.match((await customer.get("/products/JUG-BLUE")).words, /Only 3 left/);
      const again = await clerk.post("/office/new-product", { ...product, name: "Other Jug" });
      assert.equal(again.status, 412);
      assert.match(again.text, /id="sku-error">There is a product of this SKU already/);
      assert.equal((await stocked("JUG-BLUE")).name, "Blue Jug");
      await store.databases.inventory.query("DELETE FROM products WHERE sku = 'JUG-BLUE'");
    });
  });

  describe("its orders and parcels", () => {
    /** An order that is confirmed, and its page in the office. */
    const confirmedOrder = async () => {
      const path = await buy(customer, { "MUG-STONE": 1 });
      await until("the order is confirmed", async () =>
        (await customer.get(path)).words.includes("Thank you, it’s yours"),
      );
      return { path, office: `/office${path}` };
    };

    it("lists orders by status, those that need attention first, and tries one again", async () => {
      const { path, office } = await confirmedOrder();
      const id = path.slice("/orders/".length);
      const list = await clerk.get("/office/orders");
      assert.match(list.text, new RegExp(`href="${office}"`));
      assert.match(list.words, /Ada Lovelace ada@example\.org/);
      assert.doesNotMatch(
        (await clerk.get("/office/orders?status=cancelled")).text,
        new RegExp(office),
      );

      const attention = (status: string) =>
        store.databases.orders.query("UPDATE orders SET status = $1 WHERE id = $2", [status, id]);
      await attention("needs_attention");
      const [, urgent = "", latest = ""] =
        /Need attention<\/h2>([\s\S]*)The latest<\/h2>([\s\S]*)/.exec(
          (await clerk.get("/office/orders")).text,
        ) ?? [];
      assert.match(urgent, new RegExp(`action="${office}/retry"`));
      assert.match(latest, new RegExp(`href="${office}"`));
      assert.match((await customer.get(path)).words, /One of us is looking into it/);
      await attention("confirmed");
      // There is nothing to retry of an order that goes its way, and the service says so.
      const refused = await clerk.post(`${office}/retry`, {});
      assert.equal(refused.status, 409);
      assert.match(refused.words, /nothing to retry/);
    });

    it("cancels an order that needs attention, until its goods are taken", async () => {
      const path = await buy(customer, { "MUG-STONE": 1 }, "tok_slow");
      const id = path.slice("/orders/".length);
      const office = `/office${path}`;
      const orders = store.databases.orders;
      await until("its payment is asked for", async () => {
        const held = await orders.query(
          "SELECT FROM sagas WHERE order_id = $1 AND lease IS NOT NULL",
          [id],
        );
        return held.length > 0;
      });
      // As a refusal leaves it that nobody has foreseen.
      const leave = async (step: string) => {
        await orders.query(
          "UPDATE sagas SET step = $2, lease = NULL, due_at = NULL WHERE order_id = $1",
          [id, step],
        );
        await orders.query(
          "UPDATE orders SET status = 'needs_attention', reason = $2 WHERE id = $1",
          [id, `${step}_refused`],
        );
      };
      await leave("capture");
      assert.doesNotMatch((await clerk.get(office)).text, /action="[^"]*\/cancel"/);
      const refused = await clerk.post(`${office}/cancel`, {});
      assert.equal(refused.status, 409);
      assert.match(refused.words, /goods are taken/);

      await leave("authorise");
      const form = new RegExp(`action="${office}/cancel"`);
      assert.match((await clerk.get("/office/orders")).text, form);
      assert.match((await clerk.get(office)).text, form);
      const done = await clerk.submit(`${office}/cancel`, {});
      assert.match(done.words, /It is being cancelled/);
      await until("the customer is told", async () =>
        (await customer.get(path)).words.includes("We had to cancel your order"),
      );
      const { items } = (await store.services.billing.json(`/api/billing/payments?order=${id}`, {
        headers: store.staff.headers,
      })) as { items: { status: string }[] };
      assert.ok(items.every(({ status }) => status === "voided"));
    });

    it("pays back a part, once for each form, and not more than is left", async () => {
      const { office } = await confirmedOrder();
      const action = `${office}/refunds`;
      const form = (await clerk.get(office)).form(action);
      assert.equal(form.amount, "29.00");
      const part = { ...form, amount: "9.00", reason: "a chip" };
      assert.match((await clerk.submit(action, part)).words, /It is being paid back/);
      const twice = await clerk.submit(action, part);
      assert.equal(twice.words.match(/\$9\.00 (is being|was) paid back/g)?.length, 1);
      assert.match(twice.words, /\(a chip\)/);
      assert.equal(twice.form(action).amount, "20.00");

      const more = await clerk.post(action, {
        ...twice.form(action),
        amount: "20.01",
        reason: "all",
      });
      assert.equal(more.status, 409);
      assert.equal(more.form(action).amount, "20.01");
      assert.match(more.text, /id="amount-[\w-]+-error">/);
      const none = await clerk.post(action, { ...twice.form(action), amount: "lots" });
      assert.equal(none.status, 422);
    });

    it("says that a parcel has left and arrived, and the customer's page says it too", async () => {
      const { path, office } = await confirmedOrder();
      const parcels = await clerk.get("/office/parcels");
      assert.match(parcels.words, /Ada Lovelace 12 Hill Street 3000 Melbourne Australia/);
      const send = /action="(\/office\/shipments\/[\w-]+\/dispatch)"/.exec(
        (await clerk.get(office)).text,
      )?.[1];
      const sent = await clerk.submit(send ?? "", { from: office });
      assert.match(sent.words, /On its way/);
      await until("the customer sees that it is on its way", async () =>
        (await customer.get(path)).words.includes("Your parcel is on its way"),
      );
      const arrive = (send ?? "").replace("dispatch", "deliver");
      assert.equal(
        locationOf(await clerk.post(arrive, { from: "/office/parcels" })),
        "/office/parcels",
      );
      await until("the customer sees that it has arrived", async () =>
        (await customer.get(path)).words.includes("Your parcel has arrived"),
      );
      // Nothing leads out of the office.
      assert.equal((await clerk.post(arrive, { from: "https://evil.example" })).status, 400);
    });

    it("shows what is away, in the office's own frame", async () => {
      store.gateway.targets.set("shipping", undefined);
      const { status, words } = await clerk.get("/office/parcels").finally(() => {
        store.gateway.targets.set("shipping", store.services.shipping.url);
      });
      assert.equal(status, 503);
      assert.match(words, /Back office.*gateway can't be reached right now/);
    });
  });
});
