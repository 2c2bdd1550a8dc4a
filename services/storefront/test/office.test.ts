import assert from "node:assert/strict";
import { until, type TestStoreProcesses } from "@store/kit/testing";
import { buy } from "./support/purchase.ts";
import { sharedStore } from "./support/testStore.ts";
import { locationOf, ShopClient } from "./support/shopClient.ts";

describe("the storefront's back office", function () {
  this.timeout(60_000);
  let store: TestStoreProcesses;
  let clerk: ShopClient;
  let customer: ShopClient;

  before(async () => (store = await sharedStore()));
  beforeEach(async () => {
    customer = new ShopClient(store.gateway.url);
    clerk = new ShopClient(store.gateway.url);
    await clerk.post("/office/login", { token: store.staff.token });
  });

  describe("login", () => {
    const pages = [
      "/office/orders",
      "/office/parcels",
      "/office/stock",
      "/office/stock/MUG-STONE",
      "/office/new-product",
      "/office/orders/00000000-0000-4000-8000-000000000000",
    ];

    it("shows only the login form to a client without a token or with an invalid one", async () => {
      const withOldToken = new ShopClient(store.gateway.url);
      withOldToken.cookies.set("office", "an-old-token");
      for (const client of [customer, withOldToken]) {
        for (const path of pages.filter((path) => client === customer || !path.includes("new"))) {
          const { status, text, visibleText } = await client.get(path);
          assert.equal(status, 401, path);
          assert.match(visibleText, /Token Log in/);
          assert.match(text, new RegExp(`name="next" value="${path}"`));
          assert.doesNotMatch(visibleText, /Mug/);
        }
      }
    });

    it("stores a valid token in a cookie for the office's paths, and redirects to the requested page", async () => {
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

    it("rejects an invalid token", async () => {
      for (const token of ["wrong", "", "ü", "a b", `${store.staff.token}x`]) {
        const client = new ShopClient(store.gateway.url);
        const { status, visibleText } = await client.post("/office/login", { token });
        assert.equal(status, 401);
        assert.match(visibleText, /Incorrect token/);
        assert.equal(client.cookies.size, 0);
      }
    });

    it("logs out and removes the cookie", async () => {
      await clerk.post("/office/logout", {});
      assert.equal(clerk.cookies.size, 0);
      assert.equal((await clerk.get("/office/stock")).status, 401);
    });

    it("rejects forms from another site, and forbids caching of its pages", async () => {
      const origin = "https://evil.example";
      const sent = await clerk.post("/office/stock/MUG-STONE", { onHand: "0" }, { origin });
      assert.equal(sent.status, 403);
      const { headers } = await clerk.get("/office/stock");
      assert.equal(headers.get("cache-control"), "private, no-store");
    });
  });

  /** Drops the responses to requests with this path during an action; the requests themselves take effect. */
  const losingResponses = async <T>(path: string, action: () => Promise<T>): Promise<T> => {
    store.gateway.dropResponse = ({ method, url = "" }) => method !== "GET" && url.includes(path);
    return action().finally(() => (store.gateway.dropResponse = undefined));
  };

  describe("stock", () => {
    const stocked = async (sku: string) =>
      (await store.services.inventory.json(`/api/inventory/stock/${sku}`, {
        headers: store.staff.headers,
      })) as { onHand: number; name: string; price: { amount: number } };

    it("lists and searches products", async () => {
      const all = await clerk.get("/office/stock");
      assert.match(all.visibleText, /Product Price On hand Reserved Available/);
      assert.match(all.visibleText, /Stoneware Mug MUG-STONE \$29\.00/);
      const lamps = await clerk.get("/office/stock?q=desk%20lamp");
      assert.match(lamps.visibleText, /LAMP-DESK/);
      assert.doesNotMatch(lamps.visibleText, /MUG-STONE/);
    });

    it("saves a product, and the shop shows the changes", async () => {
      const form = (await clerk.get("/office/stock/VASE-BUD")).form("/office/stock/VASE-BUD");
      const saved = await clerk.submit("/office/stock/VASE-BUD", {
        ...form,
        name: "Bud Vase & Friends",
        price: "41.5",
        onHand: "77",
      });
      assert.match(saved.visibleText, /VASE-BUD was saved/);
      const { name, price, onHand } = await stocked("VASE-BUD");
      assert.deepEqual([name, price.amount, onHand], ["Bud Vase & Friends", 4150, 77]);
      const page = await customer.get("/products/VASE-BUD");
      assert.match(page.text, /<h1>Bud Vase &amp; Friends<\/h1>/);
      assert.match(page.visibleText, /\$41\.50/);
    });

    it("reports a conflict, overwrites nothing, and shows the current values next to the entered ones", async () => {
      const path = "/office/stock/TOTE-CANVAS";
      const mine = (await clerk.get(path)).form(path);
      const theirs = (await clerk.get(path)).form(path);
      await clerk.submit(path, { ...theirs, onHand: "55" });
      const answer = await clerk.post(path, { ...mine, onHand: "44", price: "12.00" });
      assert.equal(answer.status, 412);
      assert.match(answer.visibleText, /Someone else, or a sale, changed this product/);
      assert.match(answer.text, /id="onHand-error">Current value: 55/);
      assert.equal((await stocked("TOTE-CANVAS")).onHand, 55);
      const form = answer.form(path);
      assert.deepEqual([form.onHand, form.price], ["44", "12.00"]);
      await clerk.submit(path, form);
      assert.equal((await stocked("TOTE-CANVAS")).onHand, 44);
    });

    it("shows each error next to its field, and keeps what was entered", async () => {
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
      assert.match(control.text, /id="name-error">This field must /);
      const unknown = await clerk.post(path, { ...form, currency: "ZZZ" });
      assert.equal(unknown.status, 400);
      assert.match(unknown.text, /id="price-error">This field must /);
      assert.deepEqual(await stocked("MUG-STONE"), before);
    });

    it("rejects a quantity below what is reserved for orders", async () => {
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

    it("saves once when a form is submitted again after its response was lost", async () => {
      const path = "/office/stock/CLOCK-WALL";
      const opened = (await clerk.get(path)).form(path);
      const form = { ...opened, onHand: "31", price: "99.00" };
      const lost = await losingResponses("/api/inventory/products/", () => clerk.post(path, form));
      assert.equal(lost.status, 503);
      assert.match(lost.visibleText, /we don’t know whether your changes were saved/);
      assert.deepEqual(lost.form(path), form);
      // The repeated form doesn't undo changes that a colleague makes meanwhile.
      for (const name of [opened["name"] ?? "", "Wall Clock, Large"]) {
        assert.match(
          (await clerk.submit(path, lost.form(path))).visibleText,
          /CLOCK-WALL was saved/,
        );
        const theirs = { ...(await clerk.get(path)).form(path), name };
        await clerk.submit(path, theirs);
      }
      const conflict = await clerk.post(path, form);
      assert.equal(conflict.status, 412);
      assert.match(conflict.text, /id="name-error">Current value: Wall Clock, Large/);
      assert.equal((await stocked("CLOCK-WALL")).name, "Wall Clock, Large");
    });

    it("rejects a form without a valid ETag as a conflict", async () => {
      const path = "/office/stock/TOWEL-LINEN";
      const { etag: _etag, ...form } = (await clerk.get(path)).form(path);
      const before = await stocked("TOWEL-LINEN");
      for (const etag of [undefined, "", "*", '"1", *', "日", 'a\nb: "1"']) {
        const sent = { ...form, onHand: "3", ...(etag === undefined ? {} : { etag }) };
        assert.equal((await clerk.post(path, sent)).status, 412, etag);
      }
      assert.deepEqual(await stocked("TOWEL-LINEN"), before);
    });

    it("creates a product once when the form is submitted again after its response was lost", async () => {
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
      const lost = await losingResponses("/api/inventory/products/", () =>
        clerk.post(path, product),
      );
      assert.equal(lost.status, 503);
      assert.match((await clerk.submit(path, lost.form(path))).visibleText, /JUG-GREEN was saved/);
      await store.databases.inventory.query("DELETE FROM products WHERE sku = 'JUG-GREEN'");
    });

    it("creates a product, but never replaces an existing one", async () => {
      const form = (await clerk.get("/office/new-product")).form("/office/new-product");
      const product = {
        ...form,
        sku: "JUG-BLUE",
        name: "Blue Jug",
        description: "For water.",
        price: "35",
        onHand: "3",
      };
      assert.match(
        (await clerk.submit("/office/new-product", product)).visibleText,
        /JUG-BLUE was saved/,
      );
      assert.match((await customer.get("/products/JUG-BLUE")).visibleText, /Only 3 left/);
      const again = await clerk.post("/office/new-product", { ...product, name: "Other Jug" });
      assert.equal(again.status, 412);
      assert.match(again.text, /id="sku-error">A product with this SKU already exists/);
      assert.equal((await stocked("JUG-BLUE")).name, "Blue Jug");
      await store.databases.inventory.query("DELETE FROM products WHERE sku = 'JUG-BLUE'");
    });
  });

  describe("orders and parcels", () => {
    /** Buys an item. @returns the paths of the confirmed order in the shop and in the office. */
    const confirmedOrder = async () => {
      const path = await buy(customer, { "MUG-STONE": 1 });
      await until("the order is confirmed", async () =>
        (await customer.get(path)).visibleText.includes("your order is confirmed"),
      );
      return { path, office: `/office${path}` };
    };

    it("lists orders by status, with those that need attention first, and rejects a retry that isn't needed", async () => {
      const { path, office } = await confirmedOrder();
      const id = path.slice("/orders/".length);
      const list = await clerk.get("/office/orders");
      assert.match(list.text, new RegExp(`href="${office}"`));
      assert.match(list.visibleText, /Ada Lovelace ada@example\.org/);
      assert.doesNotMatch(
        (await clerk.get("/office/orders?status=cancelled")).text,
        new RegExp(office),
      );

      const attention = (status: string) =>
        store.databases.orders.query("UPDATE orders SET status = $1 WHERE id = $2", [status, id]);
      await attention("needs_attention");
      const [, urgent = "", latest = ""] =
        /Needs attention<\/h2>([\s\S]*)Latest orders<\/h2>([\s\S]*)/.exec(
          (await clerk.get("/office/orders")).text,
        ) ?? [];
      assert.match(urgent, new RegExp(`action="${office}/retry"`));
      assert.match(latest, new RegExp(`href="${office}"`));
      assert.match((await customer.get(path)).visibleText, /We’re looking into your order/);
      await attention("confirmed");
      // A confirmed order has nothing to retry; the page shows the API's error.
      const refused = await clerk.post(`${office}/retry`, {});
      assert.equal(refused.status, 409);
      assert.match(refused.text, /role="alert"/);
    });

    it("cancels an order that needs attention, unless its stock is already taken", async () => {
      const path = await buy(customer, { "MUG-STONE": 1 }, "tok_slow");
      const id = path.slice("/orders/".length);
      const office = `/office${path}`;
      const orders = store.databases.orders;
      await until("its payment is in progress", async () => {
        const leased = await orders.query(
          "SELECT FROM sagas WHERE order_id = $1 AND lease IS NOT NULL",
          [id],
        );
        return leased.length > 0;
      });
      // The state after an unexpected rejection of a step.
      const failAt = async (step: string) => {
        await orders.query(
          "UPDATE sagas SET step = $2, lease = NULL, due_at = NULL WHERE order_id = $1",
          [id, step],
        );
        await orders.query(
          "UPDATE orders SET status = 'needs_attention', reason = $2 WHERE id = $1",
          [id, `${step}_refused`],
        );
      };
      await failAt("capture");
      assert.doesNotMatch((await clerk.get(office)).text, /action="[^"]*\/cancel"/);
      const refused = await clerk.post(`${office}/cancel`, {});
      assert.equal(refused.status, 409);
      assert.match(refused.text, /role="alert"/);

      await failAt("authorise");
      const form = new RegExp(`action="${office}/cancel"`);
      assert.match((await clerk.get("/office/orders")).text, form);
      assert.match((await clerk.get(office)).text, form);
      const done = await clerk.submit(`${office}/cancel`, {});
      assert.match(done.visibleText, /Cancellation started/);
      await until("the customer sees it", async () =>
        (await customer.get(path)).visibleText.includes("We had to cancel your order"),
      );
      const { items } = (await store.services.billing.json(`/api/billing/payments?order=${id}`, {
        headers: store.staff.headers,
      })) as { items: { status: string }[] };
      assert.ok(items.every(({ status }) => status === "voided"));
    });

    it("refunds a part once per form, and not more than is left", async () => {
      const { office } = await confirmedOrder();
      const action = `${office}/refunds`;
      const form = (await clerk.get(office)).form(action);
      assert.equal(form.amount, "29.00");
      const part = { ...form, amount: "9.00", reason: "a chip" };
      assert.match((await clerk.submit(action, part)).visibleText, /Refund started/);
      const twice = await clerk.submit(action, part);
      assert.equal(twice.visibleText.match(/\$9\.00 (refund pending|refunded)/g)?.length, 1);
      assert.match(twice.visibleText, /\(a chip\)/);
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

    describe("when the response to a refund is lost", () => {
      const refundsOf = async (order: string) =>
        store.databases.billing.query<{ amount: number }>(
          `SELECT refunds.amount::integer FROM refunds JOIN payments ON payments.id = payment_id
           WHERE order_id = $1 ORDER BY refunds.created_at`,
          [order.replace("/orders/", "")],
        );
      const part = { amount: "9.00", reason: "a chip" };

      it("keeps the form, which refunds once however often it is submitted", async () => {
        const { path, office } = await confirmedOrder();
        const action = `${office}/refunds`;
        const form = { ...(await clerk.get(office)).form(action), ...part };
        const lost = await losingResponses("/api/billing/", () => clerk.post(action, form));
        assert.equal(lost.status, 503);
        assert.match(lost.visibleText, /we don’t know whether the refund was made/);
        assert.deepEqual(lost.form(action), form);
        for (let n = 0; n < 2; n++) {
          const done = await clerk.submit(action, lost.form(action));
          assert.match(done.visibleText, /Refund started/);
        }
        assert.equal((await refundsOf(path)).length, 1);
      });

      it("keeps the form while billing is down", async () => {
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

      it("makes the same refund once when a colleague submits it from another page", async () => {
        const { path, office } = await confirmedOrder();
        const action = `${office}/refunds`;
        const forms: Record<string, string>[] = [];
        for (let n = 0; n < 2; n++) forms.push((await clerk.get(office)).form(action));
        const colleague = clerk.clone();
        await losingResponses("/api/billing/", () => clerk.post(action, { ...forms[0], ...part }));
        await colleague.submit(action, { ...forms[1], ...part });
        assert.equal((await refundsOf(path)).length, 1);
        // A different refund from an outdated page needs to be submitted again.
        const other = await colleague.post(action, { ...forms[1], amount: "5.00", reason: "" });
        assert.equal(other.status, 422);
        assert.match(other.visibleText, /Another refund, listed above, was made/);
        assert.match(other.visibleText, /\$9\.00 (refund pending|refunded) \(a chip\)/);
        assert.equal(other.form(action).amount, "5.00");
        await colleague.submit(action, other.form(action));
        assert.deepEqual(
          (await refundsOf(path)).map(({ amount }) => amount),
          [900, 500],
        );
      });
    });

    it("rejects a refund form with an invalid key or payment", async () => {
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
        assert.match(answer.visibleText, /nothing was refunded/);
        assert.deepEqual(answer.form(action), form);
      }
      const { items } = (await store.services.billing.json(
        `/api/billing/payments?order=${path.slice("/orders/".length)}`,
        { headers: store.staff.headers },
      )) as { items: { refunds: unknown[] }[] };
      assert.deepEqual(items[0]?.refunds, []);
    });

    it("marks a parcel as shipped and delivered once when the responses are lost", async () => {
      const { path, office } = await confirmedOrder();
      const [, id = ""] =
        /\/office\/shipments\/([\w-]+)\/dispatch/.exec((await clerk.get(office)).text) ?? [];
      for (const action of ["dispatch", "deliver"]) {
        const send = `/office/shipments/${id}/${action}`;
        const lost = await losingResponses("/api/shipping/", () =>
          clerk.post(send, { from: office }),
        );
        assert.equal(lost.status, 503);
        for (let n = 0; n < 2; n++) await clerk.submit(send, { from: office });
      }
      await until("the customer sees the delivery", async () =>
        (await customer.get(path)).visibleText.includes("Your parcel has been delivered"),
      );
      const { visibleText } = await customer.get(path);
      for (const once of [/Handed to the carrier/g, /Delivered \d/g]) {
        assert.equal(visibleText.match(once)?.length, 1, visibleText);
      }
    });

    it("retries or cancels an order once when the responses are lost", async () => {
      for (const [action, end] of [
        ["retry", "confirmed"],
        ["cancel", "cancelled"],
      ] as const) {
        const path = await buy(customer, { "MUG-STONE": 1 }, "tok_slow");
        const id = path.slice("/orders/".length);
        await until("its payment is in progress", async () => {
          const leased = await store.databases.orders.query(
            "SELECT FROM sagas WHERE order_id = $1 AND lease IS NOT NULL",
            [id],
          );
          return leased.length > 0;
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
        const lost = await losingResponses("/api/orders/", () => clerk.post(send, {}));
        assert.equal(lost.status, 503);
        await clerk.post(send, {});
        await until("the order has its final status", async () => {
          const { status } = (await store.services.orders.json(`/api${path}`)) as {
            status: string;
          };
          return status === end;
        });
        // Cancelling again changes nothing; a confirmed order can't be retried.
        assert.equal((await clerk.post(send, {})).status, action === "cancel" ? 303 : 409);
        const { items } = (await store.services.billing.json(`/api/billing/payments?order=${id}`, {
          headers: store.staff.headers,
        })) as { items: { status: string }[] };
        const paid = items.filter(({ status }) => status === "captured").length;
        assert.equal(paid, action === "cancel" ? 0 : 1);
      }
    });

    it("marks a parcel as shipped and delivered, and the customer's page shows it", async () => {
      const { path, office } = await confirmedOrder();
      const parcels = await clerk.get("/office/parcels");
      assert.match(parcels.visibleText, /Ada Lovelace 12 Hill Street 3000 Melbourne Australia/);
      const send = /action="(\/office\/shipments\/[\w-]+\/dispatch)"/.exec(
        (await clerk.get(office)).text,
      )?.[1];
      const sent = await clerk.submit(send ?? "", { from: office });
      assert.match(sent.visibleText, /Shipped/);
      await until("the customer sees the shipment", async () =>
        (await customer.get(path)).visibleText.includes("Your parcel is on its way"),
      );
      const deliver = (send ?? "").replace("dispatch", "deliver");
      assert.equal(
        locationOf(await clerk.post(deliver, { from: "/office/parcels" })),
        "/office/parcels",
      );
      await until("the customer sees the delivery", async () =>
        (await customer.get(path)).visibleText.includes("Your parcel has been delivered"),
      );
      // The page to return to must belong to the office.
      assert.equal((await clerk.post(deliver, { from: "https://evil.example" })).status, 400);
    });

    it("shows errors of unavailable services in the office's layout", async () => {
      store.gateway.targets.set("shipping", undefined);
      const { status, visibleText } = await clerk.get("/office/parcels").finally(() => {
        store.gateway.targets.set("shipping", store.services.shipping.url);
      });
      assert.equal(status, 503);
      assert.match(visibleText, /Back office.*Orders Parcels Stock.*Temporarily unavailable/);
    });
  });
});
