import assert from "node:assert/strict";
import {
  createDatabase,
  createStaff,
  startPostgres,
  startService,
  stopPostgres,
  until,
  type RunningService,
  type TestDatabase,
} from "@store/kit/testing";

interface Product {
  readonly sku: string;
  readonly image: string;
}
interface Page {
  readonly items: readonly Product[];
  readonly next: string | null;
}
interface Problem {
  readonly status: number;
  readonly errors?: readonly { readonly in: string; readonly pointer: string }[];
}

const staff = createStaff();
const DEMO = { ...staff.environment, DEMO_DATA: "true" };

describe("inventory", () => {
  let database: TestDatabase;
  let inventory: RunningService;

  before(async () => {
    database = await createDatabase();
    inventory = await startService("inventory", { ...database.environment, ...DEMO });
    await inventory.ready();
  });
  after(() => inventory.stop());

  const page = async (query: string) =>
    (await inventory.json(`/api/inventory/products?${query}`)) as Page;

  describe("products", () => {
    it("have the fields of the public API", async () => {
      const mug = {
        sku: "MUG-STONE",
        name: "Stoneware Mug",
        description:
          "Thrown by hand, glazed in oatmeal and dipped in clay. Holds a proper cup of tea.",
        image: "/api/inventory/images/MUG-STONE.svg",
        price: { amount: 2900, currency: "AUD" },
        available: 86,
      };
      assert.deepEqual(await inventory.json("/api/inventory/products/MUG-STONE"), mug);
      const { items } = await page("limit=100");
      assert.deepEqual(
        items.find(({ sku }) => sku === "MUG-STONE"),
        mug,
      );
    });

    it("appear exactly once in the pages of a list", async () => {
      const all = (await page("limit=100")).items.map(({ sku }) => sku);
      assert.equal(all.length, 24);
      assert.deepEqual(all, [...all].sort());
      for (const limit of [1, 7, 12, 24]) {
        const seen: string[] = [];
        let after: string | null = "";
        do {
          const { items, next }: Page = await page(`limit=${limit}&after=${after}`);
          assert.ok(items.length > 0 && items.length <= limit);
          seen.push(...items.map(({ sku }) => sku));
          after = next;
        } while (after !== null);
        assert.deepEqual(seen, all, `limit ${limit}`);
      }
    });

    it("come in pages of 20 by default", async () => {
      assert.equal((await page("")).items.length, 20);
      assert.equal((await page("limit=&after=")).items.length, 20);
    });

    it("continue after a SKU that no longer exists", async () => {
      const { items } = await page("limit=1&after=MUG-STOLEN");
      assert.equal(items[0]?.sku, "MUG-STONE");
      assert.deepEqual(await page("after=ZZZ"), { items: [], next: null });
    });

    const refused: [string, number, string?][] = [
      ["products?limit=0", 400, "/limit"],
      ["products?limit=101", 400, "/limit"],
      ["products?limit=-1", 400, "/limit"],
      ["products?limit=1.5", 400, "/limit"],
      ["products?limit=1e1", 400, "/limit"],
      ["products?limit=ten", 400, "/limit"],
      ["products?limit=1&limit=2", 400, "/limit"],
      ["products?after=mug", 400, "/after"],
      ["products?after=%00", 400, "/after"],
      ["products?q=%20", 400, "/q"],
      ["products?q=%00", 400, "/q"],
      [`products?q=${"x".repeat(101)}`, 400, "/q"],
      ["products?q=a&q=b", 400, "/q"],
      ["products?limt=5", 400, "/limt"],
      ["products/MUG-STONE?q=x", 400, "/q"],
      ["products?skus=mug", 400, "/skus"],
      ["products?skus=A,,B", 400, "/skus"],
      ["products?skus=A,", 400, "/skus"],
      ["products?skus=A&skus=B", 400, "/skus"],
      [`products?skus=${Array.from({ length: 51 }, (_, at) => `A${at}`).join(",")}`, 400, "/skus"],
      ["products?skus=MUG-STONE&q=mug", 400, "/q"],
      ["products?skus=MUG-STONE&after=A", 400, "/after"],
      ["products?skus=MUG-STONE&limit=5", 400, "/limit"],
      ["products/mug-stone", 400, "/sku"],
      ["products/%00", 400, "/sku"],
      [`products/${"A".repeat(41)}`, 400, "/sku"],
      [`products/${"A".repeat(5_000)}`, 414],
      ["products/NOPE", 404],
      ["images/../main.ts", 404],
      ["images/..%2fmain.ts", 404],
      ["images/NOPE.svg", 404],
    ];
    for (const [path, status, pointer] of refused) {
      it(`respond ${status} to ${path.slice(0, 60)}`, async () => {
        const response = await inventory.fetch(`/api/inventory/${path}`);
        assert.equal(response.status, status);
        const problem = (await response.json()) as Problem;
        assert.equal(problem.status, status);
        if (pointer !== undefined)
          assert.deepEqual(
            problem.errors?.map((error) => error.pointer),
            [pointer],
          );
      });
    }

    describe("search", () => {
      const found = async (q: string, more = "") =>
        (await page(`q=${encodeURIComponent(q)}${more}`)).items.map(({ sku }) => sku);
      const lamps = ["LAMP-DESK", "LAMP-PENDANT"];

      it("finds words in the name, description or SKU, in any case", async () => {
        assert.deepEqual(await found("lamp"), ["LAMP-DESK", "LAMP-PENDANT"]);
        assert.deepEqual(await found("LAMP-"), lamps);
        assert.deepEqual(await found("hardbacks"), ["BOOKENDS-ARCH"]);
        assert.deepEqual(await found("teApot"), ["TEAPOT-GLAZED"]);
      });
      it("requires all words, in any order and field", async () => {
        assert.deepEqual(await found("  green   spun "), ["LAMP-PENDANT"]);
        assert.deepEqual(await found("brass lamp-desk"), ["LAMP-DESK"]);
        assert.deepEqual(await found("lamp nonsense"), []);
      });
      it("matches words literally, not as patterns", async () => {
        for (const q of ["%", "_", "la%p", "l_mp", "\\", "';--", "lamp'--"])
          assert.deepEqual(await found(q), [], q);
        assert.deepEqual(await found("&"), ["CANDLE-CEDAR"]);
      });
      it("returns its results in pages", async () => {
        const first = await page("q=lamp&limit=1");
        assert.deepEqual(
          [...first.items.map(({ sku }) => sku), first.next],
          ["LAMP-DESK", "LAMP-DESK"],
        );
        assert.deepEqual(await found("lamp", "&limit=1&after=LAMP-DESK"), ["LAMP-PENDANT"]);
      });
      it("ignores the case of non-ASCII letters", async () => {
        await database.query(
          `INSERT INTO products (sku, name, description, image, price_amount, price_currency, on_hand)
           VALUES ('Z-CAFE', 'Café-Österreich 🏺', '', '', 1, 'AUD', 1)`,
        );
        for (const q of ["café", "CAFÉ", "öster", "🏺"])
          assert.deepEqual(await found(q), ["Z-CAFE"], q);
        await database.query("DELETE FROM products WHERE sku = 'Z-CAFE'");
      });
      it("returns all products for an empty query", async () => {
        assert.equal((await found("", "&limit=100")).length, 24);
      });
    });

    it("are found by their SKUs, each once, without unknown SKUs", async () => {
      const skus = ["VASE-BUD", "NOPE", "MUG-STONE", "VASE-BUD"];
      const { items, next } = await page(`skus=${skus.join(",")}`);
      assert.equal(next, null);
      assert.deepEqual(
        items,
        await Promise.all(
          ["MUG-STONE", "VASE-BUD"].map((sku) => inventory.json(`/api/inventory/products/${sku}`)),
        ),
      );
      assert.deepEqual(await page("skus=NOPE"), { items: [], next: null });
      // The maximum number of lines of an order, with the longest SKUs.
      const many = Array.from({ length: 50 }, (_, at) => `${at}`.padEnd(40, "X"));
      assert.deepEqual(await page(`skus=${many.join("%2C")}`), { items: [], next: null });
    });

    it("are returned together to other services", async () => {
      const { items } = (await inventory.json(
        "/internal/products?skus=VASE-BUD,NOPE,MUG-STONE",
      )) as Page;
      assert.deepEqual(items.map(({ sku }) => sku).sort(), ["MUG-STONE", "VASE-BUD"]);
      for (const skus of [
        "",
        "?skus=",
        "?skus=a",
        "?skus=A,,B",
        `?skus=${Array(101).fill("A").join(",")}`,
      ]) {
        assert.equal((await inventory.fetch(`/internal/products${skus}`)).status, 400, skus);
      }
    });
  });

  it("serves a picture of each product, and 304 if it is unchanged", async () => {
    for (const { image } of (await page("limit=100")).items) {
      const first = await inventory.fetch(image);
      assert.equal(first.status, 200, image);
      assert.equal(first.headers.get("content-type"), "image/svg+xml");
      assert.match(await first.text(), /^<svg .*<\/svg>\s*$/s);
      const etag = first.headers.get("etag") ?? "";
      const again = await inventory.fetch(image, { headers: { "if-none-match": etag } });
      assert.equal(again.status, 304);
      assert.equal(await again.text(), "");
    }
  });

  describe("the demo catalogue", () => {
    const startOn = async (target: TestDatabase, environment = DEMO) => {
      const service = await startService("inventory", { ...target.environment, ...environment });
      await service.ready();
      return service;
    };
    const count = async (target: TestDatabase) =>
      (await target.query<{ count: string }>("SELECT count(*) FROM products"))[0]?.count;

    it("is seeded once by replicas that start together", async () => {
      const target = await createDatabase();
      const replicas = await Promise.all([startOn(target), startOn(target)]);
      await Promise.all(replicas.map((replica) => replica.stop()));
      const seeded = replicas.flatMap(({ log }) =>
        log.filter(({ msg }) => msg === "Demo catalogue seeded"),
      );
      assert.equal(seeded.length, 1);
      assert.equal(await count(target), "24");
    });

    it("isn't seeded without DEMO_DATA", async () => {
      const target = await createDatabase();
      await (await startOn(target, { ...DEMO, DEMO_DATA: "false" })).stop();
      assert.equal(await count(target), "0");
    });

    it("isn't seeded into a database with products, or after they were removed", async () => {
      const target = await createDatabase();
      await (await startOn(target, { ...DEMO, DEMO_DATA: "false" })).stop();
      await target.query(
        `INSERT INTO products (sku, name, description, image, price_amount, price_currency, on_hand)
         VALUES ('REAL', 'Real', '', '', 1, 'AUD', 1)`,
      );
      await (await startOn(target)).stop();
      assert.equal(await count(target), "1");
      await target.query("DELETE FROM products");
      await (await startOn(target)).stop();
      assert.equal(await count(target), "0");
    });
  });

  // Runs last, because it stops the PostgreSQL that all tests share.
  describe("during a database outage", () => {
    after(startPostgres);
    it("responds 503 and recovers by itself", async () => {
      await stopPostgres();
      await until("not ready", async () => (await inventory.fetch("/readyz")).status === 503);
      const response = await inventory.fetch("/api/inventory/products");
      assert.equal(response.status, 503);
      assert.equal(response.headers.get("retry-after"), "1");
      await startPostgres();
      await inventory.ready();
      assert.equal((await page("")).items.length, 20);
    });
  });
});
