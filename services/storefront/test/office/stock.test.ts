import assert from "node:assert/strict";
import { until, type TestStoreProcesses } from "@store/kit/testing";
import { buy } from "../support/purchase.ts";
import type { ShopClient } from "../support/shopClient.ts";
import { createOfficeClients, dropResponses, sharedStore } from "../support/testStore.ts";

describe("the storefront's office: stock", () => {
  let store: TestStoreProcesses;
  let clerk: ShopClient;
  let customer: ShopClient;

  before(async () => (store = await sharedStore()));
  beforeEach(async () => ({ clerk, customer } = await createOfficeClients(store)));

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
    assert.match(
      (await clerk.get("/office/stock/VASE-BUD")).visibleText,
      /Changes by staff Price \$[\d.]+ → \$41\.50, In stock \d+ → 77, Name by clerk/,
    );
    const page = await customer.get("/products/VASE-BUD");
    assert.match(page.text, /<h1>Bud Vase &amp; Friends<\/h1>/);
    assert.match(page.visibleText, /\$41\.50/);
  });

  it("takes the count of the shelf, with goods that are sold and not packed yet", async () => {
    const sku = "BASKET-WILLOW";
    const path = `/office/stock/${sku}`;
    const counted = (await stocked(sku)).onHand;
    const order = await buy(customer, { [sku]: 3 });
    await until("there is a parcel", async () =>
      (await clerk.get(`/office${order}`)).visibleText.includes("To pack"),
    );
    // The three sold ones are not packed yet, so the clerk counts as many as before.
    const page = await clerk.get(path);
    assert.match(page.visibleText, /With 0 reserved for orders and 3 sold and not packed yet/);
    const form = page.form(path);
    assert.equal(form["onHand"], String(counted));
    await clerk.submit(path, form);
    assert.equal((await stocked(sku)).onHand, counted - 3);
    const few = await clerk.post(path, { ...(await clerk.get(path)).form(path), onHand: "2" });
    assert.equal(few.status, 422);
    assert.match(few.text, /id="onHand-error">3 are sold and not packed yet/);
    const opened = (await clerk.get(path)).form(path);
    // After the dispatch, the goods are neither on the shelf nor in the stock.
    const dispatch = /action="(\/office\/shipments\/[^"]*\/dispatch)"/.exec(
      (await clerk.get(`/office${order}`)).text,
    )?.[1];
    await clerk.submit(dispatch ?? "", { from: `/office${order}` });
    assert.equal((await clerk.get(path)).form(path)["onHand"], String(counted - 3));
    // The form that was open meanwhile would subtract them again.
    const late = await clerk.post(path, opened);
    assert.equal(late.status, 412);
    assert.match(late.text, new RegExp(`id="onHand-error">Current value: ${counted - 3}<`));
    assert.equal((await stocked(sku)).onHand, counted - 3);
    await clerk.submit(path, { ...late.form(path), onHand: String(counted - 3) });
    assert.equal((await stocked(sku)).onHand, counted - 3);
  });

  it("counts goods of an order that has no parcel yet", async () => {
    const sku = "BASKET-WILLOW";
    const path = `/office/stock/${sku}`;
    const order = (await buy(customer, { [sku]: 2 })).split("/").at(-1) ?? "";
    await until("the order has ended", async () => {
      const sagas = "SELECT FROM sagas WHERE order_id = $1";
      return (await store.databases.orders.query(sagas, [order])).length === 0;
    });
    await store.databases.shipping.query("DELETE FROM shipments WHERE order_id = $1", [order]);
    await store.databases.orders.query(
      "INSERT INTO sagas (order_id, step, due_at) VALUES ($1, 'capture', NULL)",
      [order],
    );
    const { onHand } = await stocked(sku);
    const page = await clerk.get(path);
    assert.match(page.visibleText, /and 2 sold and not packed yet/);
    assert.equal(page.form(path)["onHand"], String(onHand + 2));
    await clerk.submit(path, page.form(path));
    assert.equal((await stocked(sku)).onHand, onHand);
    await store.databases.orders.query("DELETE FROM sagas WHERE order_id = $1", [order]);
  });

  it("asks to leave out unpacked goods while orders or shipping don't count them", async () => {
    const path = "/office/stock/BASKET-WILLOW";
    const { onHand } = await stocked("BASKET-WILLOW");
    for (const [route, status] of [
      ["/api/shipping/unpacked", 404],
      ["/api/orders/committed", 503],
    ] as const) {
      store.gateway.intercept = ({ url = "" }, response) => {
        if (!url.startsWith(route)) return false;
        response.writeHead(status, { "content-type": "application/problem+json" });
        response.end(JSON.stringify({ type: "about:blank", title: "", status, detail: "no" }));
        return true;
      };
      try {
        const page = await clerk.get(path);
        assert.match(page.visibleText, /Leave out what is sold and not packed yet/);
        await clerk.submit(path, page.form(path));
      } finally {
        store.gateway.intercept = undefined;
      }
      assert.equal((await stocked("BASKET-WILLOW")).onHand, onHand);
    }
  });

  it("reports a conflict, overwrites nothing, and shows the current values next to the entered ones", async () => {
    const path = "/office/stock/TOTE-CANVAS";
    const mine = (await clerk.get(path)).form(path);
    const theirs = (await clerk.get(path)).form(path);
    await clerk.submit(path, { ...theirs, onHand: "55" });
    const answer = await clerk.post(path, { ...mine, onHand: "44", price: "12.00" });
    assert.equal(answer.status, 412);
    assert.match(answer.visibleText, /Someone else, a sale or a parcel changed this product/);
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
    const lost = await dropResponses(store, "/api/inventory/products/", () =>
      clerk.post(path, form),
    );
    assert.equal(lost.status, 503);
    assert.match(lost.visibleText, /we don’t know whether your changes were saved/);
    assert.deepEqual(lost.form(path), form);
    // The repeated form doesn't undo changes that a colleague makes meanwhile.
    for (const name of [opened["name"] ?? "", "Wall Clock, Large"]) {
      assert.match((await clerk.submit(path, lost.form(path))).visibleText, /CLOCK-WALL was saved/);
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
    const lost = await dropResponses(store, "/api/inventory/products/", () =>
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
