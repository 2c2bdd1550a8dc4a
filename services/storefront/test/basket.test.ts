import assert from "node:assert/strict";
import type { TestStoreProcesses } from "@store/kit/testing";
import { shop } from "./support/shop.ts";
import { locationOf, Visitor } from "./support/visitor.ts";

describe("the storefront's basket", function () {
  this.timeout(60_000);
  let store: TestStoreProcesses;
  let visitor: Visitor;

  before(async () => (store = await shop()));
  beforeEach(() => (visitor = new Visitor(store.gateway.url)));

  const add = (sku: string, quantity: number) =>
    visitor.submit("/basket/add", { sku, quantity: String(quantity) });
  const change = (sku: string, quantity: number) =>
    visitor.submit("/basket/change", { sku, quantity: String(quantity) });

  it("is empty at first, and says so", async () => {
    assert.match((await visitor.get("/basket")).words, /Your basket is empty/);
    assert.equal(locationOf(await visitor.get("/checkout")), "/basket");
  });

  it("takes things, adds them up, and is counted on every page", async () => {
    assert.match((await add("MUG-STONE", 2)).words, /Stoneware Mug is in your basket/);
    await add("BOARD-OAK", 1);
    const basket = await add("MUG-STONE", 1);
    assert.equal(basket.form("/basket/change").sku, "MUG-STONE");
    assert.equal(basket.form("/basket/change").quantity, "3");
    // 3 × $29 and one board.
    const board = (await store.services.inventory.json("/api/inventory/products/BOARD-OAK")) as {
      price: { amount: number };
    };
    const total = ((3 * 2900 + board.price.amount) / 100).toFixed(2);
    assert.match(basket.words, new RegExp(`Together \\$${total.replace(".", "\\.")}`));
    assert.match((await visitor.get("/")).words, /Basket 4 things/);
  });

  it("changes how many there are, and takes things out", async () => {
    await add("MUG-STONE", 2);
    await add("BOARD-OAK", 1);
    assert.match((await change("MUG-STONE", 5)).words, /Basket 6 things/);
    const left = await change("MUG-STONE", 0);
    assert.doesNotMatch(left.words, /Mug/);
    assert.match((await change("BOARD-OAK", 0)).words, /Your basket is empty/);
    assert.deepEqual([...visitor.cookies.keys()], []);
  });

  it("is kept by the browser alone, in a cookie that no script reads", async () => {
    const answer = await visitor.post("/basket/add", { sku: "MUG-STONE", quantity: "1" });
    assert.match(
      answer.headers.get("set-cookie") ?? "",
      /^basket=MUG-STONE\*1; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Lax$/,
    );
  });

  it("names what can't be had, with how many are left, and doesn't go on to checkout", async () => {
    await add("UMBRELLA-OAK", 7);
    await add("STOOL-MILK", 1);
    await add("NO-SUCH-THING", 1);
    const basket = await add("MUG-STONE", 1);
    assert.match(basket.words, /Only 2 of Oak-Handled Umbrella are left/);
    assert.match(basket.words, /Milking Stool is sold out/);
    assert.match(basket.words, /We no longer sell this/);
    assert.doesNotMatch(basket.text, /href="\/checkout"/);
    assert.equal(locationOf(await visitor.get("/checkout")), "/basket");

    await visitor.submit("/basket/change", basket.form("/basket/change", 1));
    await change("STOOL-MILK", 0);
    const better = await change("NO-SUCH-THING", 0);
    assert.match(better.text, /href="\/checkout"/);
    assert.match(better.words, /Basket 3 things/);
  });

  it("holds 50 different things and 999 of one", async () => {
    visitor.cookies.set("basket", Array.from({ length: 50 }, (_, at) => `THING-${at}*1`).join("~"));
    assert.match((await add("MUG-STONE", 1)).words, /A basket holds 50 different things/);
    visitor.cookies.set("basket", "MUG-STONE*998");
    assert.match((await add("MUG-STONE", 998)).words, /Basket 999 things/);
  });

  it("asks for what is in it at once, however much that is", async () => {
    const things = Array.from({ length: 48 }, (_, at) => `THING-${at}*1`);
    visitor.cookies.set("basket", ["MUG-STONE*2", ...things, "BOARD-OAK*1"].join("~"));
    const asked: string[] = [];
    store.gateway.intercept = ({ url = "" }) => {
      if (url.startsWith("/api/")) asked.push(url);
      return false;
    };
    try {
      const { words } = await visitor.get("/basket");
      assert.match(words, /Together \$117\.00/);
    } finally {
      store.gateway.intercept = undefined;
    }
    assert.equal(asked.length, 1, asked.join("\n"));
  });

  it("makes nothing of a cookie that makes no sense", async () => {
    for (const cookie of ["x", "MUG-STONE*0", "MUG-STONE*-1", "<b>*1", "*", "%00*1", "A*1e3"]) {
      visitor.cookies.set("basket", cookie);
      assert.match((await visitor.get("/basket")).words, /Your basket is empty/, cookie);
    }
    visitor.cookies.set("basket", "junk~MUG-STONE*2~MUG-STONE*1");
    assert.match((await visitor.get("/basket")).words, /Basket 3 things/);
  });

  it("refuses what no form of it sends", async () => {
    for (const fields of [
      { sku: "MUG-STONE" },
      { sku: "mug", quantity: "1" },
      { sku: "MUG-STONE", quantity: "-1" },
      { sku: "MUG-STONE", quantity: "1.5" },
      { sku: "MUG-STONE", quantity: "" },
    ]) {
      const { status, words } = await visitor.post("/basket/add", fields as Record<string, string>);
      assert.equal(status, 400);
      assert.match(words, /That didn’t work/);
    }
  });

  it("takes no form from another site", async () => {
    for (const headers of [{}, { origin: "https://evil.example" }, { origin: "null" }]) {
      const { status } = await visitor.post(
        "/basket/add",
        { sku: "MUG-STONE", quantity: "1" },
        headers as Record<string, string>,
      );
      assert.equal(status, 403);
    }
    assert.equal(visitor.cookies.size, 0);
  });

  it("is safe while the catalogue is away", async () => {
    await add("MUG-STONE", 2);
    const { targets } = store.gateway;
    targets.set("inventory", undefined);
    try {
      const { status, words } = await visitor.get("/basket");
      assert.equal(status, 503);
      assert.match(words, /your basket is safe/);
    } finally {
      targets.set("inventory", store.services.inventory.url);
    }
    assert.match((await visitor.get("/basket")).words, /Basket 2 things/);
  });
});
