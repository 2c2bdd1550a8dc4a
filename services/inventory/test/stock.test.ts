import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { problemType } from "@store/kit/testing";
import { edit, Inventory, type Answer } from "./support/inventory.ts";

describe("staff routes of inventory", () => {
  let inventory: Inventory;

  before(async () => {
    inventory = await Inventory.start(2);
  });
  after(() => inventory.stop());

  const put = (sku: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
    inventory.asStaff("PUT", `/api/inventory/products/${sku}`, body, headers);
  const stock = (path: string) => inventory.asStaff("GET", `/api/inventory/stock${path}`);
  const pointers = ({ body }: Answer) => body.errors?.map(({ pointer }) => pointer);
  const newSku = () => `T-${randomUUID().slice(0, 8).toUpperCase()}`;

  it("require the staff token", async () => {
    const sku = await inventory.product(1);
    const outsiders: Record<string, string>[] = [{}, { authorization: "Bearer wrong" }];
    for (const headers of outsiders) {
      for (const answer of [
        await inventory.replicas.send("PUT", `/api/inventory/products/${sku}`, edit(), headers),
        await inventory.replicas.send("GET", "/api/inventory/stock", undefined, headers),
        await inventory.replicas.send("GET", `/api/inventory/stock/${sku}`, undefined, headers),
        await inventory.replicas.send(
          "GET",
          `/api/inventory/stock/${sku}/changes`,
          undefined,
          headers,
        ),
      ]) {
        assert.equal(answer.status, 401);
        assert.equal(answer.headers.get("www-authenticate"), "Bearer");
      }
    }
    assert.deepEqual(await inventory.stock(sku), { onHand: 1, held: 0, available: 1 });
  });

  it("keep who changed which fields of a product", async () => {
    const sku = newSku();
    await put(sku, edit({ onHand: 5 }));
    const price = { currency: "AUD", amount: 1_200 };
    await put(sku, edit({ onHand: 3, price }), { "if-match": "*" });
    await put(sku, edit({ onHand: 3, price }), { "if-match": "*" });
    const { body, headers } = await stock(`/${sku}/changes`);
    assert.equal(headers.get("cache-control"), "no-store");
    const { items } = body as unknown as { items: Record<string, unknown>[] };
    assert.deepEqual(
      items.map(({ at, ...change }) => ({
        ...change,
        isRecent: Date.parse(String(at)) > Date.now() - 600_000,
      })),
      [
        {
          staff: "clerk",
          before: { onHand: 5, price: { amount: 1_000, currency: "AUD" } },
          after: { onHand: 3, price },
          isRecent: true,
        },
        { staff: "clerk", before: null, after: edit({ onHand: 5 }), isRecent: true },
      ],
    );
  });

  it("add a product, then replace it", async () => {
    const sku = newSku();
    const added = await put(sku, edit({ onHand: 5 }));
    assert.equal(added.status, 201);
    assert.equal(added.headers.get("location"), `/api/inventory/products/${sku}`);
    const product = {
      sku,
      name: "Test Product",
      description: "For tests.",
      image: "/api/inventory/images/none.svg",
      price: { amount: 1_000, currency: "AUD" },
      available: 5,
      onHand: 5,
      held: 0,
    };
    assert.deepEqual(added.body, product);
    assert.deepEqual((await stock(`/${sku}`)).body, product);
    assert.equal((await inventory.replicas.running[0]?.fetch(product.image))?.status, 200);

    const changed = {
      name: "Ünï¢ode 🏺",
      description: "Another.",
      price: { amount: 2_000, currency: "NZD" },
      onHand: 0,
      image: "/pictures/jar.webp?v=2",
    };
    const any = { "if-match": "*" };
    const replaced = await put(sku, changed, any);
    assert.equal(replaced.status, 200);
    const expected = { ...product, ...changed, available: 0 };
    assert.deepEqual(replaced.body, expected);
    const { onHand: _onHand, held: _held, ...open } = expected;
    const shown = await inventory.send("GET", `/api/inventory/products/${sku}`);
    assert.deepEqual(shown.body, open);

    // Without an image in the edit, the product keeps its image.
    assert.deepEqual((await put(sku, edit(), any)).body, {
      ...product,
      available: 10,
      onHand: 10,
      image: changed.image,
    });
  });

  it("keep an image that an earlier release accepted", async () => {
    const sku = await inventory.product(10);
    const image = "https://cdn.example/x.webp";
    await inventory.replicas.database.query("UPDATE products SET image = $1 WHERE sku = $2", [
      image,
      sku,
    ]);
    const found = await inventory.send("GET", `/api/inventory/products/${sku}`);
    assert.equal(Reflect.get(found.body, "image"), image);
    const { body } = await put(sku, edit(), { "if-match": "*" });
    assert.equal(Reflect.get(body, "image"), image);
  });

  it("reject a stock below the held quantity", async () => {
    const sku = await inventory.product(10);
    await inventory.hold(randomUUID(), [{ sku, quantity: 4 }]);
    const answer = await inventory.put(sku, 3);
    assert.equal(answer.status, 409);
    assert.equal(problemType(answer), "stock-held");
    assert.deepEqual(answer.body.errors, [
      {
        in: "body",
        pointer: "/onHand",
        message: "must be at least 4, the quantity held for orders",
      },
    ]);
    assert.deepEqual(await inventory.stock(sku), { onHand: 10, held: 4, available: 6 });
    assert.equal((await inventory.put(sku, 4)).status, 200);
    assert.deepEqual(await inventory.stock(sku), { onHand: 4, held: 4, available: 0 });
  });

  describe("with conditional edits", () => {
    const etagOf = ({ headers }: Answer) => headers.get("etag") ?? assert.fail("no etag");

    it("apply an edit with if-match only to the same version", async () => {
      const sku = await inventory.product(10);
      const seen = etagOf(await stock(`/${sku}`));
      const mine = await put(sku, edit({ name: "Mine" }), { "if-match": seen });
      assert.equal(mine.status, 200);
      const theirs = await put(sku, edit({ name: "Theirs" }), { "if-match": seen });
      assert.equal(theirs.status, 412);
      assert.equal(problemType(theirs), "precondition-failed");
      assert.equal(Reflect.get((await stock(`/${sku}`)).body, "name"), "Mine");
      assert.equal(etagOf(await stock(`/${sku}`)), etagOf(mine));
      const listed = await put(sku, edit(), { "if-match": `"nothing", ${etagOf(mine)}` });
      assert.equal(listed.status, 200);
      assert.equal((await put(sku, edit(), { "if-match": "*" })).status, 200);
      for (const wrong of [`W/${etagOf(mine)}`, "1", '""', "nonsense"]) {
        assert.equal((await put(sku, edit(), { "if-match": wrong })).status, 412, wrong);
      }
    });

    it("change the version with a sale, but not with a hold", async () => {
      const sku = await inventory.product(10);
      const seen = etagOf(await stock(`/${sku}`));
      const id = randomUUID();
      await inventory.hold(id, [{ sku, quantity: 2 }]);
      assert.equal(etagOf(await stock(`/${sku}`)), seen);
      await inventory.commit(id);
      assert.equal((await put(sku, edit({ onHand: 10 }), { "if-match": seen })).status, 412);
      assert.equal((await inventory.stock(sku)).onHand, 8);
    });

    it("never add a product with if-match", async () => {
      const sku = newSku();
      for (const tag of ["*", '"1"']) {
        assert.equal((await put(sku, edit(), { "if-match": tag })).status, 412);
      }
      assert.equal((await stock(`/${sku}`)).status, 404);
    });

    it("only add a product with if-none-match: *", async () => {
      const sku = newSku();
      const only = { "if-none-match": "*" };
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => put(sku, edit({ onHand: 5 }), only)),
      );
      assert.deepEqual(answers.map(({ status }) => status).sort(), [
        201,
        ...Array<number>(7).fill(412),
      ]);
    });

    it("apply exactly one of several concurrent edits of the same version", async () => {
      const sku = await inventory.product(10);
      const seen = etagOf(await stock(`/${sku}`));
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_value, i) =>
          put(sku, edit({ onHand: i }), { "if-match": seen }),
        ),
      );
      const statuses = answers.map(({ status }) => status).sort();
      assert.deepEqual(statuses, [200, ...Array<number>(9).fill(412)]);
      const winner = answers.findIndex(({ status }) => status === 200);
      assert.equal((await inventory.stock(sku)).onHand, winner);
    });

    it("replace nothing without a condition: a sale would be overwritten", async () => {
      const sku = newSku();
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => put(sku, edit({ onHand: 10 }))),
      );
      assert.deepEqual(answers.map(({ status }) => status).sort(), [
        201,
        ...Array<number>(7).fill(428),
      ]);
      const id = randomUUID();
      await inventory.hold(id, [{ sku, quantity: 3 }]);
      await inventory.commit(id);
      const late = await put(sku, edit({ onHand: 10 }));
      assert.deepEqual([late.status, problemType(late)], [428, "precondition-required"]);
      assert.equal((await inventory.stock(sku)).onHand, 7);
    });
  });

  describe("with invalid edits", () => {
    const price = { amount: 1, currency: "AUD" };
    const cases: [string, unknown, string][] = [
      ["no name", { ...edit(), name: undefined }, "/name"],
      ["a blank name", edit({ name: " " }), "/name"],
      ["a name of 201 characters", edit({ name: "x".repeat(201) }), "/name"],
      ["an invisible name", edit({ name: "\u200b" }), "/name"],
      ["a NUL", edit({ description: "\0" }), "/description"],
      ["an unpaired surrogate", edit({ description: "\ud83d" }), "/description"],
      ["a price of 0", edit({ price: { ...price, amount: 0 } }), "/price/amount"],
      ["a price of -1", edit({ price: { ...price, amount: -1 } }), "/price/amount"],
      ["a price of 1.5", edit({ price: { ...price, amount: 1.5 } }), "/price/amount"],
      ["a price of 10^12", edit({ price: { ...price, amount: 1e12 } }), "/price/amount"],
      ["a price as a string", edit({ price: { ...price, amount: "1" } }), "/price/amount"],
      ["an invalid currency", edit({ price: { ...price, currency: "$" } }), "/price/currency"],
      [
        "an unknown currency code",
        edit({ price: { ...price, currency: "ZZZ" } }),
        "/price/currency",
      ],
      ["a withdrawn currency", edit({ price: { ...price, currency: "DEM" } }), "/price/currency"],
      ["no currency", edit({ price: { amount: 1 } }), "/price/currency"],
      ["a stock of -1", edit({ onHand: -1 }), "/onHand"],
      ["a stock of 0.5", edit({ onHand: 0.5 }), "/onHand"],
      ["a stock of 10^12", edit({ onHand: 1e12 }), "/onHand"],
      ["a javascript: image", edit({ image: "javascript:alert(1)" }), "/image"],
      ["an image of another site", edit({ image: "https://cdn.example/x.webp" }), "/image"],
      ["a protocol-relative image URL", edit({ image: "//evil.example/x" }), "/image"],
      [
        "a protocol-relative image URL with a backslash",
        edit({ image: "/\\evil.example/x" }),
        "/image",
      ],
      ["an empty image path", edit({ image: "" }), "/image"],
      ["an image path with a quote", edit({ image: '/x" onerror="y' }), "/image"],
      ["a field for the held quantity", edit({ held: 1 }), "/held"],
    ];
    for (const [description, body, pointer] of cases) {
      it(`reject ${description}`, async () => {
        const sku = newSku();
        const answer = await put(sku, body);
        assert.equal(answer.status, 400);
        assert.deepEqual([...new Set(pointers(answer))], [pointer]);
        assert.equal((await stock(`/${sku}`)).status, 404);
      });
    }
    it("reject a SKU in lower case", async () => {
      const answer = await put("mug", edit());
      assert.equal(answer.status, 400);
      assert.deepEqual(pointers(answer), ["/sku"]);
    });
  });

  it("list the stock in pages", async () => {
    const listed = await Inventory.start(1, { DEMO_DATA: "true" });
    const page = async (query: string) => {
      return (await listed.asStaff("GET", `/api/inventory/stock?${query}`)).body;
    };
    await listed.hold(randomUUID(), [{ sku: "BASKET-WILLOW", quantity: 3 }]);
    const first = await page("limit=2");
    const counts = first.items?.map((item) =>
      ["sku", "onHand", "held", "available"].map((key): unknown => Reflect.get(item, key)),
    );
    assert.deepEqual(counts, [
      ["BASKET-WILLOW", 18, 3, 15],
      ["BLANKET-WOOL", 12, 0, 12],
    ]);
    assert.equal(first.next, "BLANKET-WOOL");
    const second = await page(`limit=100&after=${first.next}`);
    assert.equal(second.items?.length, 22);
    assert.equal(second.next, null);
    assert.deepEqual(
      (await page("q=stool")).items?.map(({ sku }) => sku),
      ["STOOL-MILK"],
    );
    await listed.stop();
  });
});
