import assert from "node:assert/strict";
import type { TestStoreProcesses } from "@store/kit/testing";
import { sharedStore } from "./support/testStore.ts";
import { locationOf, ShopClient } from "./support/shopClient.ts";

describe("the storefront's basket", () => {
  let store: TestStoreProcesses;
  let client: ShopClient;

  before(async () => (store = await sharedStore()));
  beforeEach(() => (client = new ShopClient(store.gateway.url)));

  const add = (sku: string, quantity: number) =>
    client.submit("/basket/add", { sku, quantity: String(quantity) });
  const change = (sku: string, quantity: number) =>
    client.submit("/basket/change", { sku, quantity: String(quantity) });

  it("is empty at first, and doesn't lead to the checkout", async () => {
    assert.match((await client.get("/basket")).visibleText, /Your basket is empty/);
    assert.equal(locationOf(await client.get("/checkout")), "/basket");
  });

  it("adds up quantities and prices, and shows the number of items on every page", async () => {
    assert.match((await add("MUG-STONE", 2)).visibleText, /Stoneware Mug was added to your basket/);
    await add("BOARD-OAK", 1);
    const basket = await add("MUG-STONE", 1);
    assert.equal(basket.form("/basket/change").sku, "MUG-STONE");
    assert.equal(basket.form("/basket/change").quantity, "3");
    // 3 × $29 and one board.
    const board = (await store.services.inventory.json("/api/inventory/products/BOARD-OAK")) as {
      price: { amount: number };
    };
    const total = ((3 * 2900 + board.price.amount) / 100).toFixed(2);
    assert.match(basket.visibleText, new RegExp(`Total \\$${total.replace(".", "\\.")}`));
    assert.match((await client.get("/")).visibleText, /Basket 4 items/);
  });

  it("changes quantities and removes items", async () => {
    await add("MUG-STONE", 2);
    await add("BOARD-OAK", 1);
    assert.match((await change("MUG-STONE", 5)).visibleText, /Basket 6 items/);
    const left = await change("MUG-STONE", 0);
    assert.doesNotMatch(left.visibleText, /Mug/);
    assert.match((await change("BOARD-OAK", 0)).visibleText, /Your basket is empty/);
    assert.deepEqual([...client.cookies.keys()], []);
  });

  it("is stored in a cookie that scripts can't read", async () => {
    const answer = await client.post("/basket/add", { sku: "MUG-STONE", quantity: "1" });
    assert.match(
      answer.headers.get("set-cookie") ?? "",
      /^basket=MUG-STONE\*1; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Lax$/,
    );
  });

  it("lists unavailable items with the quantity left, and blocks the checkout until they are changed", async () => {
    await add("UMBRELLA-OAK", 7);
    await add("STOOL-MILK", 1);
    await add("NO-SUCH-THING", 1);
    const basket = await add("MUG-STONE", 1);
    assert.match(basket.visibleText, /Oak-Handled Umbrella: only 2 left in stock/);
    assert.match(basket.visibleText, /Milking Stool is sold out/);
    assert.match(basket.visibleText, /NO-SUCH-THING is no longer available/);
    assert.doesNotMatch(basket.text, /href="\/checkout"/);
    assert.equal(locationOf(await client.get("/checkout")), "/basket");

    await client.submit("/basket/change", basket.form("/basket/change", 1));
    await change("STOOL-MILK", 0);
    const better = await change("NO-SUCH-THING", 0);
    assert.match(better.text, /href="\/checkout"/);
    assert.match(better.visibleText, /Basket 3 items/);
  });

  it("holds up to 50 different products and up to 999 of each", async () => {
    client.cookies.set("basket", Array.from({ length: 50 }, (_, at) => `THING-${at}*1`).join("~"));
    assert.match(
      (await add("MUG-STONE", 1)).visibleText,
      /Your basket can hold up to 50 different products/,
    );
    client.cookies.set("basket", "MUG-STONE*998");
    assert.match((await add("MUG-STONE", 998)).visibleText, /Basket 999 items/);
  });

  it("can't go to checkout with more items than an order may have", async () => {
    client.cookies.set("basket", "MUG-STONE*60~BOARD-OAK*40");
    const stock =
      "UPDATE products SET on_hand = on_hand + 200 WHERE sku IN ('MUG-STONE', 'BOARD-OAK')";
    await store.databases.inventory.query(stock);
    assert.match((await client.get("/basket")).text, /href="\/checkout"/);
    client.cookies.set("basket", "MUG-STONE*60~BOARD-OAK*41");
    const page = await client.get("/basket");
    assert.match(page.visibleText, /An order can have up to 100 items/);
    assert.doesNotMatch(page.text, /href="\/checkout"/);
    await store.databases.inventory.query(stock.replace("+", "-"));
  });

  it("looks up all of its products with one API request", async () => {
    const unknownItems = Array.from({ length: 48 }, (_, at) => `THING-${at}*1`);
    client.cookies.set("basket", ["MUG-STONE*2", ...unknownItems, "BOARD-OAK*1"].join("~"));
    const requests: string[] = [];
    store.gateway.intercept = ({ url = "" }) => {
      if (url.startsWith("/api/")) requests.push(url);
      return false;
    };
    try {
      const { visibleText } = await client.get("/basket");
      assert.match(visibleText, /Total \$117\.00/);
    } finally {
      store.gateway.intercept = undefined;
    }
    assert.equal(requests.length, 1, requests.join("\n"));
  });

  it("ignores invalid parts of its cookie", async () => {
    for (const cookie of ["x", "MUG-STONE*0", "MUG-STONE*-1", "<b>*1", "*", "%00*1", "A*1e3"]) {
      client.cookies.set("basket", cookie);
      assert.match((await client.get("/basket")).visibleText, /Your basket is empty/, cookie);
    }
    client.cookies.set("basket", "junk~MUG-STONE*2~MUG-STONE*1");
    assert.match((await client.get("/basket")).visibleText, /Basket 3 items/);
  });

  it("rejects invalid forms with status 400", async () => {
    for (const fields of [
      { sku: "MUG-STONE" },
      { sku: "mug", quantity: "1" },
      { sku: "MUG-STONE", quantity: "-1" },
      { sku: "MUG-STONE", quantity: "1.5" },
      { sku: "MUG-STONE", quantity: "" },
    ]) {
      const { status, visibleText } = await client.post(
        "/basket/add",
        fields as Record<string, string>,
      );
      assert.equal(status, 400);
      assert.match(visibleText, /We couldn’t process your request/);
    }
  });

  it("rejects forms from another site", async () => {
    for (const headers of [{}, { origin: "https://evil.example" }, { origin: "null" }]) {
      const { status } = await client.post(
        "/basket/add",
        { sku: "MUG-STONE", quantity: "1" },
        headers as Record<string, string>,
      );
      assert.equal(status, 403);
    }
    assert.equal(client.cookies.size, 0);
  });

  it("keeps its items while inventory is unavailable", async () => {
    await add("MUG-STONE", 2);
    const { targets } = store.gateway;
    targets.set("inventory", undefined);
    try {
      const { status, visibleText } = await client.get("/basket");
      assert.equal(status, 503);
      assert.match(visibleText, /Your basket is saved/);
    } finally {
      targets.set("inventory", store.services.inventory.url);
    }
    assert.match((await client.get("/basket")).visibleText, /Basket 2 items/);
  });
});
