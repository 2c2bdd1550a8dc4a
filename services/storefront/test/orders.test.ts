import assert from "node:assert/strict";
import { until, type TestStoreProcesses } from "@store/kit/testing";
import { buy } from "./support/purchase.ts";
import { sharedStore } from "./support/testStore.ts";
import { ShopClient, type Page } from "./support/shopClient.ts";

describe("the storefront's order page", () => {
  let store: TestStoreProcesses;
  let client: ShopClient;

  before(async () => (store = await sharedStore()));
  beforeEach(() => (client = new ShopClient(store.gateway.url)));

  /** Waits until the order's page contains a text. */
  const pageWith = async (path: string, expected: RegExp): Promise<Page> => {
    let page = await client.get(path);
    await until(`${path} contains ${expected.source}`, async () => {
      page = await client.get(path);
      return expected.test(page.visibleText);
    });
    return page;
  };

  it("shows the order's timeline, and refreshes itself until the status is final", async () => {
    const path = await buy(client, { "MUG-STONE": 1 }, "tok_slow");
    const pending = await client.get(path);
    assert.match(pending.visibleText, /We’ve received your order/);
    assert.match(pending.text, /<noscript><meta http-equiv="refresh" content="3"/);
    assert.match(pending.visibleText, /Timeline Order received/);

    const confirmed = await pageWith(path, /your order is confirmed/);
    assert.match(confirmed.text, /<noscript><meta http-equiv="refresh" content="30"/);
    assert.match(confirmed.visibleText, /Order received .* Reserved and paid/);
    assert.match(confirmed.visibleText, /1 × Stoneware Mug \$29\.00 Total \$29\.00/);
  });

  for (const [token, heading, history] of [
    ["tok_declined", /Your card was declined/, /Cancelled: card declined/],
    ["tok_insufficient_funds", /Your card has insufficient funds/, /Cancelled: insufficient funds/],
  ] as const) {
    it(`explains why the payment with ${token} was declined`, async () => {
      const path = await buy(client, { "MUG-STONE": 1 }, token);
      const page = await pageWith(path, heading);
      assert.match(page.visibleText, history);
      assert.match(page.visibleText, /You were not charged/);
      // The status is final.
      assert.doesNotMatch(page.text, /http-equiv="refresh"/);
      assert.match(page.visibleText, /Add items to basket again/);
    });
  }

  it("allows its own script to send requests to its own origin only", async () => {
    const { headers, text } = await client.get(await buy(client, { "MUG-STONE": 1 }));
    const policy = headers.get("content-security-policy") ?? "";
    assert.match(policy, /script-src 'self'; connect-src 'self'$/);
    assert.doesNotMatch(policy, /unsafe/);
    assert.deepEqual(
      [...text.matchAll(/<script[^>]*>/g)].map(([tag]) =>
        /src="\/assets\/order\.\w+\.js"/.test(tag),
      ),
      [true],
    );
    assert.equal(headers.get("cache-control"), "private, no-store");
    assert.match(text, /<meta name="robots" content="noindex"/);
  });

  it("is listed in the browser that placed the order, and in no other", async () => {
    const first = await buy(client, { "MUG-STONE": 1 });
    const second = await buy(client, { "BOARD-OAK": 1 });
    const { text } = await client.get("/orders");
    const listed = [...text.matchAll(/href="(\/orders\/[^"]+)"/g)].map(([, path]) => path);
    assert.deepEqual(listed, [second, first]);
    assert.match(
      (await new ShopClient(store.gateway.url).get("/orders")).visibleText,
      /No orders yet/,
    );
  });

  it("remembers the latest 12 orders, and ignores invalid ids in its cookie", async () => {
    const ids = Array.from(
      { length: 20 },
      (_, at) => `00000000-0000-4000-8000-0000000000${at + 10}`,
    );
    client.cookies.set("orders", ["../../office", ...ids].join("~"));
    assert.match((await client.get("/orders")).visibleText, /No orders yet/);
    const path = await buy(client, { "MUG-STONE": 1 });
    assert.equal(client.cookies.get("orders")?.split("~").length, 12);
    assert.equal(client.cookies.get("orders")?.split("~")[0], path.slice("/orders/".length));
  });
});
