import assert from "node:assert/strict";
import { createServer } from "node:net";
import {
  createDatabase,
  createStaff,
  freePort,
  startService,
  type RunningService,
  type TestDatabase,
} from "@store/kit/testing";

const HTML = { headers: { accept: "text/html,application/xhtml+xml" } };

describe("storefront", function () {
  this.timeout(60_000);
  let catalogue: TestDatabase;
  let inventory: RunningService;
  let storefront: RunningService;

  before(async () => {
    catalogue = await createDatabase();
    inventory = await startService("inventory", {
      ...catalogue.environment,
      ...createStaff().environment,
      DEMO_DATA: "true",
    });
    await inventory.ready();
    await catalogue.query(
      `INSERT INTO products (sku, name, description, image, price_amount, price_currency, on_hand)
       VALUES ('AAA-EVIL', '<script>alert(1)</script>', 'a "quoted" & <b>bold</b> claim', '"><i>', 123456, 'JPY', 5)`,
    );
    // Inventory answers under the paths that the gateway passes on, so here it is the gateway.
    storefront = await startService("storefront", { GATEWAY_URL: inventory.url });
    await storefront.ready();
  });
  after(() => Promise.all([inventory.stop(), storefront.stop()]));

  const page = async (path: string, from = storefront) => {
    const response = await from.fetch(path, HTML);
    assert.match(response.headers.get("content-type") ?? "", /^text\/html; charset=utf-8/);
    return { response, status: response.status, text: await response.text() };
  };
  const links = (text: string) =>
    [...text.matchAll(/href="(\/products\/[^"]+)"/g)].map(([, path]) => path ?? "");

  it("shows the whole catalogue over its pages", async () => {
    const seen: string[] = [];
    let path: string | undefined = "/";
    while (path !== undefined) {
      const { status, text }: Awaited<ReturnType<typeof page>> = await page(path);
      assert.equal(status, 200);
      seen.push(...links(text));
      path = /rel="next"\s+href="([^"]+)"/.exec(text)?.[1];
    }
    assert.equal(seen.length, 25);
    assert.equal(new Set(seen).size, 25);
    assert.ok(seen.includes("/products/WATERING-CAN"));
  });

  it("shows a product with its price, and how many are left when they are few", async () => {
    const mug = (await page("/products/MUG-STONE")).text;
    assert.match(mug, /<h1>Stoneware Mug<\/h1>/);
    assert.match(mug, /\$29\.00/);
    assert.match(mug, /In stock/);
    assert.match(
      mug,
      /<img\s+src="\/api\/inventory\/images\/MUG-STONE\.svg"\s+alt="Stoneware Mug"/,
    );
    assert.match((await page("/products/UMBRELLA-OAK")).text, /Only 2 left/);
    assert.match((await page("/products/STOOL-MILK")).text, /Sold out/);
  });

  it("shows what is in the catalogue as text, whatever it is", async () => {
    const { text } = await page("/products/AAA-EVIL");
    assert.doesNotMatch(text, /<script|<b>|<i>/);
    assert.match(text, /&lt;script&gt;alert\(1\)&lt;\/script&gt;/);
    assert.match(text, /JPY\s123,456/);
    assert.doesNotMatch((await page("/")).text, /<script|<i>/);
  });

  it("runs no script and takes nothing from elsewhere", async () => {
    for (const path of ["/", "/products/MUG-STONE", "/products/NOPE", "/assets/nope.css"]) {
      const { response, text } = await page(path);
      const policy = response.headers.get("content-security-policy") ?? "";
      assert.match(policy, /^default-src 'none'; style-src 'self'; img-src 'self';/);
      assert.doesNotMatch(policy, /unsafe/);
      assert.equal(response.headers.get("x-content-type-options"), "nosniff");
      assert.doesNotMatch(text, /<script|<style|\sstyle=|\son\w+=|(src|href)="(https?:)?\/\//);
    }
  });

  it("serves its style sheet under its hash, to be kept for good", async () => {
    const { text } = await page("/");
    const path = /<link rel="stylesheet" href="([^"]+)"/.exec(text)?.[1] ?? "";
    assert.match(path, /^\/assets\/style\.[0-9a-f]{12}\.css$/);
    const response = await storefront.fetch(path);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "text/css; charset=utf-8");
    assert.equal(response.headers.get("cache-control"), "public, max-age=31536000, immutable");
    assert.match(await response.text(), /^:root \{/);
  });

  it("has a page for what isn't there", async () => {
    for (const path of [
      "/products/NOPE",
      "/products/%00",
      "/nothing",
      "/?after=no%20sku",
      "/assets/x",
    ]) {
      const { status, text } = await page(path);
      assert.equal(status, 404, path);
      assert.match(text, /We can’t find that/);
    }
  });

  it("answers a program with a problem document", async () => {
    const response = await storefront.fetch("/products/NOPE", { headers: { accept: "*/*" } });
    assert.equal(response.status, 404);
    assert.match(response.headers.get("content-type") ?? "", /^application\/problem\+json/);
  });

  it("passes the request's id on to inventory", async () => {
    await storefront.fetch("/", { headers: { "x-request-id": "seen-in-both-logs" } });
    await inventory.logged(
      "the request's id",
      ({ requestId }) => requestId === "seen-in-both-logs",
    );
  });

  describe("without the gateway", () => {
    const withoutGateway = async (url: string) => {
      const alone = await startService("storefront", { GATEWAY_URL: url });
      const started = Date.now();
      const answer = await page("/", alone);
      return { alone, answer, took: Date.now() - started };
    };

    it("says so on a page and stays ready", async () => {
      const { alone, answer } = await withoutGateway(`http://127.0.0.1:${await freePort()}`);
      assert.equal(answer.status, 503);
      assert.equal(answer.response.headers.get("retry-after"), "1");
      assert.match(answer.text, /The shelves are out of reach/);
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
      assert.ok(took < 10_000, `${took} ms`);
      await alone.stop();
      silent.close();
    });

    it("isn't started without knowing where it is", async () => {
      await assert.rejects(startService("storefront"), /GATEWAY_URL is missing/);
    });
  });
});
