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

  /** Loses the answers of one kind of request, after what was asked for is done. */
  const losing = async <T>(path: string, work: () => Promise<T>): Promise<T> => {
    store.gateway.dropResponse = ({ method, url = "" }) => method !== "GET" && url.includes(path);
    return work().finally(() => (store.gateway.dropResponse = undefined));
  };

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
      assert.match(control.text, /id="name-error">This must contain a visible character/);
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

    it("is saved once of a form that is sent again, because its answer was lost or out of impatience", async () => {
      const path = "/office/stock/CLOCK-WALL";
      const opened = (await clerk.get(path)).form(path);
      const form = { ...opened, onHand: "31", price: "99.00" };
      const lost = await losing("/api/inventory/products/", () => clerk.post(path, form));
      assert.equal(lost.status, 503);
      assert.match(lost.words, /we don’t know whether this was saved/);
      assert.deepEqual(lost.form(path), form);
      // What somebody else does meanwhile is not undone by that.
      for (const name of [opened["name"] ?? "", "Wall Clock, Large"]) {
        assert.match((await clerk.submit(path, lost.form(path))).words, /CLOCK-WALL is saved/);
        const theirs = { ...(await clerk.get(path)).form(path), name };
        await clerk.submit(path, theirs);
      }
      const conflict = await clerk.post(path, form);
      assert.equal(conflict.status, 412);
      assert.match(conflict.text, /id="name-error">It is now: Wall Clock, Large/);
      assert.equal((await stocked("CLOCK-WALL")).name, "Wall Clock, Large");
    });

    it("is saved by no form that doesn't say what it was made of", async () => {
      const path = "/office/stock/TOWEL-LINEN";
      const { etag: _etag, ...form } = (await clerk.get(path)).form(path);
      const before = await stocked("TOWEL-LINEN");
      for (const etag of [undefined, "", "*", '"1", *', "日", 'a\nb: "1"']) {
        const sent = { ...form, onHand: "3", ...(etag === undefined ? {} : { etag }) };
        assert.equal((await clerk.post(path, sent)).status, 412, etag);
      }
      assert.deepEqual(await stocked("TOWEL-LINEN"), before);
    });

    it("gets a new product once of a form whose answer was lost", async () => {
      const path = "/office/new-product";
      const product = {
        ...(await clerk.get(path)).form(path),
        ...{
          sku: "JUG-GREEN",
          name: "Green Jug",
          description: "For tea.",
          price: "35",
          onHand: "3",
        },
      };
      const lost = await losing("/api/inventory/products/", () => clerk.post(path, product));
      assert.equal(lost.status, 503);
      assert.match((await clerk.submit(path, lost.form(path))).words, /JUG-GREEN is saved/);
      await store.databases.inventory.query("DELETE FROM products WHERE sku = 'JUG-GREEN'");
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

    describe("when the answer to a refund is lost", () => {
      const refundsOf = async (order: string) =>
        store.databases.billing.query<{ amount: number }>(
          `SELECT refunds.amount::integer FROM refunds JOIN payments ON payments.id = payment_id
           WHERE order_id = $1 ORDER BY refunds.created_at`,
          [order.replace("/orders/", "")],
        );
      const part = { amount: "9.00", reason: "a chip" };

      it("keeps the form, which pays back once however often it is sent", async () => {
        const { path, office } = await confirmedOrder();
        const action = `${office}/refunds`;
        const form = { ...(await clerk.get(office)).form(action), ...part };
        const lost = await losing("/api/billing/", () => clerk.post(action, form));
        assert.equal(lost.status, 503);
        assert.match(lost.words, /we don’t know whether this was taken/);
        assert.deepEqual(lost.form(action), form);
        for (let n = 0; n < 2; n++) {
          const done = await clerk.submit(action, lost.form(action));
          assert.match(done.words, /It is being paid back/);
        }
        assert.equal((await refundsOf(path)).length, 1);
      });

      it("keeps it also while nothing else of billing answers", async () => {
        const { office } = await confirmedOrder();
        const action = `${office}/refunds`;
        const form = { ...(await clerk.get(office)).form(action), ...part };
        store.gateway.targets.set("billing", undefined);
        const lost = await clerk.post(action, form).finally(() => {
          store.gateway.targets.set("billing", store.services.billing.url);
        });
        assert.equal(lost.status, 503);
        assert.deepEqual(lost.form(action), form);
      });

      it("pays back once also from a page that was made anew before it was taken, by whomever", async () => {
        const { path, office } = await confirmedOrder();
        const action = `${office}/refunds`;
        const forms: Record<string, string>[] = [];
        for (let n = 0; n < 2; n++) forms.push((await clerk.get(office)).form(action));
        const colleague = clerk.clone();
        await losing("/api/billing/", () => clerk.post(action, { ...forms[0], ...part }));
        await colleague.submit(action, { ...forms[1], ...part });
        assert.equal((await refundsOf(path)).length, 1);
        // What is another refund isn't made unseen either.
        const other = await colleague.post(action, { ...forms[1], amount: "5.00", reason: "" });
        assert.equal(other.status, 422);
        assert.match(other.words, /Something else was paid back after this page was made/);
        assert.match(other.words, /\$9\.00 (is being|was) paid back \(a chip\)/);
        assert.equal(other.form(action).amount, "5.00");
        await colleague.submit(action, other.form(action));
        assert.deepEqual(
          (await refundsOf(path)).map(({ amount }) => amount),
          [900, 500],
        );
      });
    });

    it("pays nothing back for a form that isn't as it was made", async () => {
      const { path, office } = await confirmedOrder();
      const action = `${office}/refunds`;
      const form = (await clerk.get(office)).form(action);
      const { key: _key, ...keyless } = form;
      const { payment = "" } = form;
      for (const wrong of [
        ...["", "a\nb", "日", "x".repeat(256)].map((key) => ({ ...form, key })),
        ...["", "..", "../..", payment.toUpperCase(), "日"].map((payment) => ({
          ...form,
          payment,
        })),
        keyless,
      ]) {
        const answer = await clerk.post(action, wrong);
        assert.equal(answer.status, 400, JSON.stringify(wrong));
        assert.match(answer.words, /nothing was paid back/);
        assert.deepEqual(answer.form(action), form);
      }
      const { items } = (await store.services.billing.json(
        `/api/billing/payments?order=${path.slice("/orders/".length)}`,
        { headers: store.staff.headers },
      )) as { items: { refunds: unknown[] }[] };
      assert.deepEqual(items[0]?.refunds, []);
    });

    it("says once that a parcel has left and arrived, although the answers are lost", async () => {
      const { path, office } = await confirmedOrder();
      const [, id = ""] =
        /\/office\/shipments\/([\w-]+)\/dispatch/.exec((await clerk.get(office)).text) ?? [];
      for (const action of ["dispatch", "deliver"]) {
        const send = `/office/shipments/${id}/${action}`;
        const lost = await losing("/api/shipping/", () => clerk.post(send, { from: office }));
        assert.equal(lost.status, 503);
        for (let n = 0; n < 2; n++) await clerk.submit(send, { from: office });
      }
      await until("the customer sees that it has arrived", async () =>
        (await customer.get(path)).words.includes("Your parcel has arrived"),
      );
      const { words } = await customer.get(path);
      for (const once of [/Handed to the carrier/g, /Delivered \d/g]) {
        assert.equal(words.match(once)?.length, 1, words);
      }
    });

    it("tries an order again, or cancels it, once, although the answers are lost", async () => {
      for (const [action, end] of [
        ["retry", "confirmed"],
        ["cancel", "cancelled"],
      ] as const) {
        const path = await buy(customer, { "MUG-STONE": 1 }, "tok_slow");
        const id = path.slice("/orders/".length);
        await until("its payment is asked for", async () => {
          const held = await store.databases.orders.query(
            "SELECT FROM sagas WHERE order_id = $1 AND lease IS NOT NULL",
            [id],
          );
          return held.length > 0;
        });
        await store.databases.orders.query(
          "UPDATE sagas SET step = 'authorise', lease = NULL, due_at = NULL WHERE order_id = $1",
          [id],
        );
        await store.databases.orders.query(
          "UPDATE orders SET status = 'needs_attention', reason = 'authorise_refused' WHERE id = $1",
          [id],
        );
        const send = `/office${path}/${action}`;
        const lost = await losing("/api/orders/", () => clerk.post(send, {}));
        assert.equal(lost.status, 503);
        await clerk.post(send, {});
        await until("it has ended", async () => {
          const { status } = (await store.services.orders.json(`/api${path}`)) as {
            status: string;
          };
          return status === end;
        });
        // Cancelled is cancelled; there is nothing to try again of what has gone its way.
        assert.equal((await clerk.post(send, {})).status, action === "cancel" ? 303 : 409);
        const { items } = (await store.services.billing.json(`/api/billing/payments?order=${id}`, {
          headers: store.staff.headers,
        })) as { items: { status: string }[] };
        const paid = items.filter(({ status }) => status === "captured").length;
        assert.equal(paid, action === "cancel" ? 0 : 1);
      }
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
