import assert from "node:assert/strict";
import { createServer } from "node:net";
import { freePort, startService, type TestStoreProcesses } from "@store/kit/testing";
import { sharedStore } from "./support/testStore.ts";
import { ShopClient } from "./support/shopClient.ts";

describe("the storefront's catalogue", () => {
  let store: TestStoreProcesses;
  let client: ShopClient;

  before(async () => {
    store = await sharedStore();
    await store.databases.inventory.query(
      `INSERT INTO products (sku, name, description, image, price_amount, price_currency, on_hand)
       VALUES ('AAA-EVIL', '<script>alert(1)</script>', 'a "quoted" & <b>bold</b> claim', '"><i>', 123456, 'JPY', 5)
       ON CONFLICT DO NOTHING`,
    );
    client = new ShopClient(store.gateway.url);
  });
  after(() => store.databases.inventory.query("DELETE FROM products WHERE sku = 'AAA-EVIL'"));

  const productLinks = (text: string) =>
    [...text.matchAll(/<li class="card">\s*<a href="(\/products\/[^"]+)"/g)].map(
      ([, path]) => path ?? "",
    );

  /** Returns the links to products on a page and on all pages after it. */
  const linksFrom = async (start: string) => {
    const seen: string[] = [];
    for (let path: string | undefined = start; path !== undefined;) {
      const { status, text } = await client.get(path);
      assert.equal(status, 200);
      seen.push(...productLinks(text));
      path = /rel="next"\s+href="([^"]+)"/.exec(text)?.[1]?.replaceAll("&amp;", "&");
    }
    return seen;
  };

  it("shows every product once over its pages", async () => {
    const seen = await linksFrom("/");
    assert.equal(seen.length, 25);
    assert.equal(new Set(seen).size, 25);
    assert.ok(seen.includes("/products/WATERING-CAN"));
  });

  it("finds products by search words, over all pages of results", async () => {
    const { items } = (await (
      await fetch(`${store.gateway.url}/api/inventory/products?limit=100&q=a`)
    ).json()) as { items: { sku: string }[] };
    assert.ok(items.length > 12, "the results need more than one page");
    assert.deepEqual(
      await linksFrom("/?q=a"),
      items.map(({ sku }) => `/products/${sku}`),
    );

    const lamps = await client.get("/?q=%20LAMP%20desk%20");
    assert.deepEqual(productLinks(lamps.text), ["/products/LAMP-DESK"]);
    assert.match(lamps.visibleText, /Results for “LAMP desk”/);
    assert.match(lamps.text, /name="q"[^>]*value="LAMP desk"/);
  });

  it("says that nothing was found, also for search words with invalid characters", async () => {
    for (const q of ["rhubarb", "%00", "%FF", "<u>"]) {
      const { status, visibleText, text } = await client.get(`/?q=${encodeURI(q)}`);
      assert.equal(status, 200, q);
      assert.match(visibleText, /No products match your search/);
      assert.doesNotMatch(text, /<u>/);
    }
  });

  it("shows a product with its price, and the quantity left when stock is low", async () => {
    const mug = await client.get("/products/MUG-STONE");
    assert.match(mug.text, /<h1>Stoneware Mug<\/h1>/);
    assert.match(mug.visibleText, /\$29\.00/);
    assert.match(mug.visibleText, /In stock/);
    assert.match(
      mug.text,
      /<img\s+src="\/api\/inventory\/images\/MUG-STONE\.svg"\s+alt="Stoneware Mug"/,
    );
    assert.match((await client.get("/products/UMBRELLA-OAK")).visibleText, /Only 2 left/);
    const stool = await client.get("/products/STOOL-MILK");
    assert.match(stool.visibleText, /Sold out/);
    assert.doesNotMatch(stool.text, /basket\/add/);
  });

  it("escapes markup in the catalogue's data", async () => {
    const { text } = await client.get("/products/AAA-EVIL");
    assert.doesNotMatch(text, /<script|<b>|<i>/);
    assert.match(text, /&lt;script&gt;alert\(1\)&lt;\/script&gt;/);
    assert.match(text, /JPY\s123,456/);
    assert.doesNotMatch((await client.get("/")).text, /<script|<i>/);
  });

  it("allows no scripts and no content from other origins", async () => {
    for (const path of ["/", "/products/MUG-STONE", "/products/NOPE", "/basket", "/office/login"]) {
      const { headers, text } = await client.get(path);
      const policy = headers.get("content-security-policy") ?? "";
      assert.match(policy, /^default-src 'none'; style-src 'self'; img-src 'self';/);
      assert.doesNotMatch(policy, /unsafe|script/);
      assert.equal(headers.get("x-content-type-options"), "nosniff");
      assert.doesNotMatch(text, /<script|<style|\sstyle=|\son\w+=|(src|href)="(https?:)?\/\//);
    }
  });

  it("serves its style sheet compressed, with a hash in its path and immutable caching", async () => {
    const { text } = await client.get("/");
    const path = /<link rel="stylesheet" href="([^"]+)"/.exec(text)?.[1] ?? "";
    assert.match(path, /^\/assets\/style\.[0-9a-f]{12}\.css$/);
    const response = await fetch(store.gateway.url + path, {
      headers: { "accept-encoding": "gzip" },
    });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "text/css; charset=utf-8");
    assert.equal(response.headers.get("content-encoding"), "gzip");
    assert.equal(response.headers.get("cache-control"), "public, max-age=31536000, immutable");
    const uncompressed = await (
      await fetch(store.gateway.url + path, { headers: { "accept-encoding": "identity" } })
    ).text();
    assert.match(uncompressed, /^:root \{/);
    assert.equal(await response.text(), uncompressed);
  });

  it("answers unknown addresses with a page and status 404", async () => {
    for (const path of [
      "/products/NOPE",
      "/products/%00",
      "/nothing",
      "/?after=no%20sku",
      "/assets/x",
      "/docs/nothing",
      "/orders/00000000-0000-4000-8000-000000000000",
    ]) {
      const { status, visibleText } = await client.get(path);
      assert.equal(status, 404, path);
      assert.match(visibleText, /Page not found/);
    }
  });

  it("answers a client that doesn't accept HTML with a problem document", async () => {
    const response = await fetch(`${store.gateway.url}/products/NOPE`, {
      headers: { accept: "*/*" },
    });
    assert.equal(response.status, 404);
    assert.match(response.headers.get("content-type") ?? "", /^application\/problem\+json/);
  });

  it("forwards the request's id to inventory", async () => {
    const id = "seen-in-both-logs";
    await store.services.storefront.fetch("/", { headers: { "x-request-id": id } });
    await store.services.inventory.waitForLog("the id", ({ requestId }) => requestId === id);
  });

  describe("without a working gateway", () => {
    const withoutGateway = async (url: string) => {
      const alone = await startService("storefront", { GATEWAY_URL: url });
      const started = Date.now();
      const answer = await new ShopClient(alone.url).get("/");
      return { alone, answer, took: Date.now() - started };
    };

    it("shows an error page with a link to try again, and stays ready", async () => {
      const { alone, answer } = await withoutGateway(`http://127.0.0.1:${await freePort()}`);
      assert.equal(answer.status, 503);
      assert.equal(answer.headers.get("retry-after"), "1");
      assert.match(answer.visibleText, /Temporarily unavailable/);
      assert.match(answer.text, /href=""\s*>Try again/);
      await alone.ready();
      assert.equal(await alone.stop(), 0);
    });

    it("answers within 15 seconds when the gateway hangs", async () => {
      const hangingServer = createServer().listen(0, "127.0.0.1");
      await new Promise((resolve) => hangingServer.once("listening", resolve));
      const address = hangingServer.address();
      assert.ok(typeof address === "object" && address !== null);
      const { alone, answer, took } = await withoutGateway(`http://127.0.0.1:${address.port}`);
      assert.equal(answer.status, 503);
      assert.ok(took < 15_000, `${took} ms`);
      await alone.stop();
      hangingServer.close();
    });

    it("doesn't start without GATEWAY_URL", async () => {
      await assert.rejects(startService("storefront"), /GATEWAY_URL is missing/);
    });
  });
});
