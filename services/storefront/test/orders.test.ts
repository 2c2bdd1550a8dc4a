import assert from "node:assert/strict";
import { until, type TestStoreProcesses } from "@store/kit/testing";
import { buy } from "./support/buying.ts";
import { shop } from "./support/shop.ts";
import { Visitor, type Page } from "./support/visitor.ts";

describe("the storefront's order page", function () {
  this.timeout(60_000);
  let store: TestStoreProcesses;
  let visitor: Visitor;

  before(async () => (store = await shop()));
  beforeEach(() => (visitor = new Visitor(store.gateway.url)));

  /** The order's page once it says this. */
  const pageSaying = async (path: string, words: RegExp): Promise<Page> => {
    let page = await visitor.get(path);
    await until(`${path} says ${words.source}`, async () => {
      page = await visitor.get(path);
      return words.test(page.words);
    });
    return page;
  };

  it("tells what happened in words, and loads itself again while something may", async () => {
    const path = await buy(visitor, { "MUG-STONE": 1 }, "tok_slow");
    const pending = await visitor.get(path);
    assert.match(pending.words, /We have your order/);
    assert.match(pending.text, /<noscript><meta http-equiv="refresh" content="3"/);
    assert.match(pending.words, /What happened We received your order/);

    const confirmed = await pageSaying(path, /Thank you, it’s yours/);
    assert.match(confirmed.text, /<noscript><meta http-equiv="refresh" content="30"/);
    assert.match(confirmed.words, /We received your order .* Set aside for you and paid/);
    assert.match(confirmed.words, /1 × Stoneware Mug \$29\.00 Together \$29\.00/);
  });

  for (const [token, heading, history] of [
    ["tok_declined", /Your card was declined/, /Cancelled: the card was declined/],
    [
      "tok_insufficient_funds",
      /There isn’t enough on this card/,
      /Cancelled: not enough on the card/,
    ],
  ] as const) {
    it(`says plainly what became of a card that ${token} stands for`, async () => {
      const path = await buy(visitor, { "MUG-STONE": 1 }, token);
      const page = await pageSaying(path, heading);
      assert.match(page.words, history);
      assert.match(page.words, /You were not charged/);
      // Nothing will change any more.
      assert.doesNotMatch(page.text, /http-equiv="refresh"/);
      assert.match(page.words, /Put it back into the basket/);
    });
  }

  it("lets its own script ask its own origin, and nothing else", async () => {
    const { headers, text } = await visitor.get(await buy(visitor, { "MUG-STONE": 1 }));
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

  it("is found again in the browser that the order came from, and in no other", async () => {
    const first = await buy(visitor, { "MUG-STONE": 1 });
    const second = await buy(visitor, { "BOARD-OAK": 1 });
    const { text } = await visitor.get("/orders");
    const listed = [...text.matchAll(/href="(\/orders\/[^"]+)"/g)].map(([, path]) => path);
    assert.deepEqual(listed, [second, first]);
    assert.match((await new Visitor(store.gateway.url).get("/orders")).words, /No orders yet/);
  });

  it("remembers a dozen orders, and nothing that is no id", async () => {
    const ids = Array.from(
      { length: 20 },
      (_, at) => `00000000-0000-4000-8000-0000000000${at + 10}`,
    );
    visitor.cookies.set("orders", ["../../office", ...ids].join("~"));
    assert.match((await visitor.get("/orders")).words, /No orders yet/);
    const path = await buy(visitor, { "MUG-STONE": 1 });
    assert.equal(visitor.cookies.get("orders")?.split("~").length, 12);
    assert.equal(visitor.cookies.get("orders")?.split("~")[0], path.slice("/orders/".length));
  });
});
