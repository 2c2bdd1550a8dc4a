import assert from "node:assert/strict";
import { createServer } from "node:net";
import { freePort, startService, type TestStoreProcesses } from "@store/kit/testing";
import { shop } from "./support/shop.ts";
import { Visitor } from "./support/visitor.ts";

describe("the storefront's catalogue", function () {
  this.timeout(60_000);
  let store: TestStoreProcesses;
  let visitor: Visitor;

  before(async () => {
    store = await shop();
    await store.databases.inventory.query(
      `INSERT INTO products (sku, name, description, image, price_amount, price_currency, on_hand)
       VALUES ('AAA-EVIL', '<script>alert(1)</script>', 'a "quoted" & <b>bold</b> claim', '"><i>', 123456, 'JPY', 5)
       ON CONFLICT DO NOTHING`,
    );
    visitor = new Visitor(store.gateway.url);
  });
  after(() => store.databases.inventory.query("DELETE FROM products WHERE sku = 'AAA-EVIL'"));

  const links = (text: string) =>
    [...text.matchAll(/<li class="card">\s*<a href="(\/products\/[^"]+)"/g)].map(
      ([, path]) => path ?? "",
    );

  /** The links to products on a page and those that follow it. */
  const linksFrom = async (start: string) => {
    const seen: string[] = [];
    for (let path: string | undefined = start; path !== undefined;) {
      const { status, text } = await visitor.get(path);
      assert.equal(status, 200);
      seen.push(...links(text));
      path = /rel="next"\s+href="([^"]+)"/.exec(text)?.[1]?.replaceAll("&amp;", "&");
    }
    return seen;
  };

  it("shows the whole catalogue over its pages", async () => {
    const seen = await linksFrom("/");
    assert.equal(seen.length, 25);
    assert.equal(new Set(seen).size, 25);
    assert.ok(seen.includes("/products/WATERING-CAN"));
  });

  it("finds what is searched for, over all its pages", async () => {
    const { items } = (await (
      await fetch(`${store.gateway.url}/api/inventory/products?limit=100&q=a`)
    ).json()) as { items: { sku: string }[] };
    assert.ok(items.length > 12, "more than a page");
    assert.deepEqual(
      await linksFrom("/?q=a"),
      items.map(({ sku }) => `/products/${sku}`),
    );

    const lamps = await visitor.get("/?q=%20LAMP%20desk%20");
    assert.deepEqual(links(lamps.text), ["/products/LAMP-DESK"]);
    assert.match(lamps.words, /Found for “LAMP desk”/);
    assert.match(lamps.text, /name="q"[^>]*value="LAMP desk"/);
  });

  it("says so when nothing is found, whatever was searched for", async () => {
    for (const q of ["rhubarb", "%00", "%FF", "<u>"]) {
      const { status, words, text } = await visitor.get(`/?q=${encodeURI(q)}`);
      assert.equal(status, 200, q);
      assert.match(words, /Nothing of ours goes by that/);
      assert.doesNotMatch(text, /<u>/);
    }
  });

  it("shows a product with its price, and how many are left when they are few", async () => {
    const mug = await visitor.get("/products/MUG-STONE");
    assert.match(mug.text, /<h1>Stoneware Mug<\/h1>/);
    assert.match(mug.words, /\$29\.00/);
    assert.match(mug.words, /In stock/);
    assert.match(
      mug.text,
      /<img\s+src="\/api\/inventory\/images\/MUG-STONE\.svg"\s+alt="Stoneware Mug"/,
    );
    assert.match((await visitor.get("/products/UMBRELLA-OAK")).words, /Only 2 left/);
    const stool = await visitor.get("/products/STOOL-MILK");
    assert.match(stool.words, /Sold out/);
    assert.doesNotMatch(stool.text, /basket\/add/);
  });

  it("shows what is in the catalogue as text, whatever it is", async () => {
    const { text } = await visitor.get("/products/AAA-EVIL");
    assert.doesNotMatch(text, /<script|<b>|<i>/);
    assert.match(text, /&lt;script&gt;alert\(1\)&lt;\/script&gt;/);
    assert.match(text, /JPY\s123,456/);
    assert.doesNotMatch((await visitor.get("/")).text, /<script|<i>/);
  });

  it("runs no script and takes nothing from elsewhere", async () => {
    for (const path of ["/", "/products/MUG-STONE", "/products/NOPE", "/basket", "/office/login"]) {
      const { headers, text } = await visitor.get(path);
      const policy = headers.get("content-security-policy") ?? "";
      assert.match(policy, /^default-src 'none'; style-src 'self'; img-src 'self';/);
      assert.doesNotMatch(policy, /unsafe|script/);
      assert.equal(headers.get("x-content-type-options"), "nosniff");
      assert.doesNotMatch(text, /<script|<style|\sstyle=|\son\w+=|(src|href)="(https?:)?\/\//);
    }
  });

  it("serves its style sheet under its hash, small and to be kept for good", async () => {
    const { text } = await visitor.get("/");
    const path = /<link rel="stylesheet" href="([^"]+)"/.exec(text)?.[1] ?? "";
    assert.match(path, /^\/assets\/style\.[0-9a-f]{12}\.css$/);
    const response = await fetch(store.gateway.url + path, {
      headers: { "accept-encoding": "gzip" },
    });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "text/css; charset=utf-8");
    assert.equal(response.headers.get("content-encoding"), "gzip");
    assert.equal(response.headers.get("cache-control"), "public, max-age=31536000, immutable");
    const whole = await (
      await fetch(store.gateway.url + path, { headers: { "accept-encoding": "identity" } })
    ).text();
    assert.match(whole, /^:root \{/);
    assert.equal(await response.text(), whole);
  });

  it("has a page for what isn't there", async () => {
    for (const path of [
      "/products/NOPE",
      "/products/%00",
      "/nothing",
      "/?after=no%20sku",
      "/assets/x",
      "/docs/nothing",
      "/orders/00000000-0000-4000-8000-000000000000",
    ]) {
      const { status, words } = await visitor.get(path);
      assert.equal(status, 404, path);
      assert.match(words, /We can’t find that/);
    }
  });

  it("answers a program with a problem document", async () => {
    const response = await fetch(`${store.gateway.url}/products/NOPE`, {
      headers: { accept: "*/*" },
    });
    assert.equal(response.status, 404);
    assert.match(response.headers.get("content-type") ?? "", /^application\/problem\+json/);
  });

  it("passes the request's id on to inventory", async () => {
    const id = "seen-in-both-logs";
    await store.services.storefront.fetch("/", { headers: { "x-request-id": id } });
    await store.services.inventory.waitForLog("the id", ({ requestId }) => requestId === id);
  });

  describe("without the gateway", () => {
    const withoutGateway = async (url: string) => {
      const alone = await startService("storefront", { GATEWAY_URL: url });
      const started = Date.now();
      const answer = await new Visitor(alone.url).get("/");
      return { alone, answer, took: Date.now() - started };
    };

    it("says so on a page and stays ready", async () => {
      const { alone, answer } = await withoutGateway(`http://127.0.0.1:${await freePort()}`);
      assert.equal(answer.status, 503);
      assert.equal(answer.headers.get("retry-after"), "1");
      assert.match(answer.words, /The shelves are out of reach/);
      assert.match(answer.text, /href=""\s*>Try again/);
      await alone.ready();
      assert.equal(await alone.stop(), 0);
    });

    it("doesn't make people wait long when the gateway hangs", async () => {
      const silent = createServer().listen(0, "127.0.0.1");
      await new Promise((resolve) => silent.once("listening", resolve));
      const address = silent.address();
      assert.ok(typeof address === "object" && address !== null);
      const { alone, answer, took } = await withoutGateway(`http://127.0.0.1:${address.port}`);
      assert.equal(answer.status, 503);
      assert.ok(took < 15_000, `${took} ms`);
      await alone.stop();
      silent.close();
    });

    it("isn't started without knowing where it is", async () => {
      await assert.rejects(startService("storefront"), /GATEWAY_URL is missing/);
    });
  });
});
