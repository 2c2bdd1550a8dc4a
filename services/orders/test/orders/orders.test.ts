import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import {
  createDatabase,
  createStaff,
  startService,
  UNREACHABLE_URL,
  type RunningService,
  type TestDatabase,
} from "@store/kit/testing";

interface Receipt {
  readonly id: string;
  readonly status: string;
}
interface Problem {
  readonly type: string;
  readonly status: number;
  readonly errors?: readonly {
    readonly in: string;
    readonly pointer: string;
    readonly message: string;
  }[];
}

const customer = {
  name: "Ada Lovelace",
  email: "ada@example.org",
  address: { line1: "1 Analytical St", city: "Perth", postcode: "6000", country: "AU" },
};
const order = {
  customer,
  items: [
    { sku: "MUG-STONE", quantity: 2 },
    { sku: "VASE-BUD", quantity: 1 },
  ],
  payment: { token: "tok_ok" },
};

describe("orders", () => {
  let database: TestDatabase;
  let catalogue: TestDatabase;
  let inventory: RunningService;
  let orders: RunningService;

  const staff = createStaff();
  const startOrders = (inventoryUrl: string) =>
    startService("orders", {
      ...database.environment,
      ...staff.environment,
      INVENTORY_URL: inventoryUrl,
      // Orders stay pending: no payment can be authorised.
      BILLING_URL: UNREACHABLE_URL,
      SHIPPING_URL: UNREACHABLE_URL,
    });

  before(async () => {
    [database, catalogue] = await Promise.all([createDatabase(), createDatabase()]);
    inventory = await startService("inventory", {
      ...catalogue.environment,
      ...createStaff().environment,
      DEMO_DATA: "true",
    });
    orders = await startOrders(inventory.url);
    await Promise.all([inventory.ready(), orders.ready()]);
  });
  after(() => Promise.all([inventory.stop(), orders.stop()]));

  const post = (body: unknown, key: string | undefined = randomUUID(), type = "application/json") =>
    orders.fetch("/api/orders", {
      method: "POST",
      headers: { "content-type": type, ...(key === "" ? {} : { "idempotency-key": key }) },
      body: typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body),
    });
  const countOf = async (key: string) =>
    Number(
      (
        await database.query<{ count: string }>(
          "SELECT count(*) FROM orders WHERE idempotency_key = $1",
          [key],
        )
      )[0]?.count,
    );

  describe("placing an order", () => {
    it("stores the order with inventory's prices and returns its location", async () => {
      const response = await post(order);
      assert.equal(response.status, 202);
      assert.match(response.headers.get("content-type") ?? "", /^application\/json/);
      const receipt = (await response.json()) as Receipt;
      assert.deepEqual(Object.keys(receipt), ["id", "status"]);
      assert.match(
        receipt.id,
        /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      );
      assert.equal(response.headers.get("location"), `/api/orders/${receipt.id}`);

      const stored = (await orders.json(`/api/orders/${receipt.id}`)) as Record<string, unknown>;
      const { placedAt } = stored;
      assert.ok(Math.abs(Date.parse(String(placedAt)) - Date.now()) < 600_000);
      assert.deepEqual(stored, {
        id: receipt.id,
        status: "pending",
        items: [
          {
            sku: "MUG-STONE",
            name: "Stoneware Mug",
            quantity: 2,
            price: { amount: 2900, currency: "AUD" },
          },
          {
            sku: "VASE-BUD",
            name: "Bud Vase",
            quantity: 1,
            price: { amount: 3400, currency: "AUD" },
          },
        ],
        total: { amount: 9200, currency: "AUD" },
        placedAt,
        history: [{ status: "pending", at: placedAt }],
      });
    });

    it("keeps the price at the time of the order", async () => {
      const { id } = (await (await post(order)).json()) as Receipt;
      await catalogue.query("UPDATE products SET price_amount = 99900 WHERE sku = 'MUG-STONE'");
      try {
        const stored = (await orders.json(`/api/orders/${id}`)) as { total: { amount: number } };
        assert.equal(stored.total.amount, 9200);
      } finally {
        await catalogue.query("UPDATE products SET price_amount = 2900 WHERE sku = 'MUG-STONE'");
      }
    });

    it("never returns the customer or the payment", async () => {
      const { id } = (await (await post(order)).json()) as Receipt;
      const answer = await orders.fetch(`/api/orders/${id}`);
      assert.equal(answer.headers.get("cache-control"), "no-store");
      assert.doesNotMatch(await answer.text(), /Ada|example\.org|Analytical|tok_/);
      assert.doesNotMatch(
        JSON.stringify(await orders.flushedLog()),
        new RegExp(`Ada|example\\.org|Analytical|tok_|${id}`),
      );
    });
  });

  describe("an order with the total that the customer saw", () => {
    const shown = (amount: number, currency = "AUD") => ({ ...order, total: { amount, currency } });

    it("is placed only if that is the total", async () => {
      assert.equal((await post(shown(9200))).status, 202);
      for (const [amount, currency] of [
        [9201, "AUD"],
        [1, "AUD"],
        [9200, "NZD"],
      ] as const) {
        const key = randomUUID();
        const response = await post(shown(amount, currency), key);
        assert.equal(response.status, 422);
        const problem = (await response.json()) as Problem;
        assert.equal(problem.type, "urn:store:problem:total-differs");
        assert.deepEqual(problem.errors, [
          { in: "body", pointer: "/total", message: "must be 9200 AUD" },
        ]);
        assert.equal(await countOf(key), 0);
      }
    });

    it("keeps its response after prices have changed", async () => {
      const key = randomUUID();
      const placed = await (await post(shown(9200), key)).text();
      await catalogue.query("UPDATE products SET price_amount = 99900 WHERE sku = 'MUG-STONE'");
      try {
        const again = await post(shown(9200), key);
        assert.equal(again.status, 202);
        assert.equal(await again.text(), placed);
        assert.equal((await post(shown(9200))).status, 422);
      } finally {
        await catalogue.query("UPDATE products SET price_amount = 2900 WHERE sku = 'MUG-STONE'");
      }
    });
  });

  describe("the idempotency key of an order", () => {
    it("returns the same bytes again, whatever the white space and the order of fields", async () => {
      const key = randomUUID();
      const first = await post(order, key);
      const again = await post(order, key);
      const { payment, items } = order;
      const rearranged = await post(JSON.stringify({ payment, items, customer }, null, 2), key);
      assert.deepEqual([first.status, again.status, rearranged.status], [202, 202, 202]);
      const bytes = await first.text();
      assert.equal(await again.text(), bytes);
      assert.equal(await rearranged.text(), bytes);
      assert.equal(again.headers.get("location"), first.headers.get("location"));
      assert.equal(await countOf(key), 1);
    });

    it("creates one order from ten concurrent requests", async () => {
      const key = randomUUID();
      const answers = await Promise.all(Array.from({ length: 10 }, () => post(order, key)));
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([202]));
      const bytes = new Set(await Promise.all(answers.map((answer) => answer.text())));
      assert.equal(bytes.size, 1);
      assert.equal(await countOf(key), 1);
    });

    it("accepts one of two different concurrent orders", async () => {
      const key = randomUUID();
      const other = { ...order, items: [{ sku: "TEAPOT-GLAZED", quantity: 1 }] };
      const answers = await Promise.all(
        [order, other, order, other].map((body) => post(body, key)),
      );
      assert.deepEqual(answers.map(({ status }) => status).sort(), [202, 202, 422, 422]);
      assert.equal(await countOf(key), 1);
    });

    it("is refused for a different order", async () => {
      const key = randomUUID();
      await post(order, key);
      const response = await post({ ...order, payment: { token: "tok_slow" } }, key);
      assert.equal(response.status, 422);
      const problem = (await response.json()) as Problem;
      assert.equal(problem.type, "urn:store:problem:idempotency-key-reused");
      assert.deepEqual(
        problem.errors?.map((error) => error.pointer),
        ["/idempotency-key"],
      );
    });

    it("is required and must be printable", async () => {
      for (const key of ["", " ", "a b", "x".repeat(256)]) {
        const response = await post(order, key);
        assert.equal(response.status, 400, JSON.stringify(key));
        const problem = (await response.json()) as Problem;
        assert.deepEqual(
          problem.errors?.map((error) => [error.in, error.pointer]),
          [["header", "/idempotency-key"]],
        );
      }
    });

    it("returns the stored response while inventory is unavailable; a new order gets 503", async () => {
      const key = randomUUID();
      const placed = await post(order, key);
      const alone = await startOrders(UNREACHABLE_URL);
      await alone.ready();
      const send = (idempotencyKey: string) =>
        alone.fetch("/api/orders", {
          method: "POST",
          headers: { "content-type": "application/json", "idempotency-key": idempotencyKey },
          body: JSON.stringify(order),
        });
      assert.equal(await (await send(key)).text(), await placed.text());
      const fresh = randomUUID();
      const unavailable = await send(fresh);
      assert.equal(unavailable.status, 503);
      assert.equal(unavailable.headers.get("retry-after"), "1");
      assert.equal(await countOf(fresh), 0);
      await alone.stop();
    });

    it("survives a restart of the service", async () => {
      const key = randomUUID();
      const placed = await post(order, key);
      const next = await startOrders(inventory.url);
      await next.ready();
      const again = await next.fetch("/api/orders", {
        method: "POST",
        headers: { "content-type": "application/json", "idempotency-key": key },
        body: JSON.stringify(order),
      });
      assert.equal(await again.text(), await placed.text());
      await next.stop();
    });
  });

  describe("an invalid order", () => {
    const items = (...lines: unknown[]) => ({ ...order, items: lines });
    const quantity = (value: unknown) => items({ sku: "MUG-STONE", quantity: value });
    const to = (address: object) => ({
      ...order,
      customer: { ...customer, address: { ...customer.address, ...address } },
    });
    const cases: [string, unknown, number, string[]][] = [
      ["an unknown sku", items({ sku: "NOPE", quantity: 1 }), 422, ["/items/0/sku"]],
      ["a malformed sku", items({ sku: "mug", quantity: 1 }), 400, ["/items/0/sku"]],
      [
        "a repeated sku",
        items({ sku: "MUG-STONE", quantity: 1 }, { sku: "MUG-STONE", quantity: 1 }),
        422,
        ["/items/1/sku"],
      ],
      ["quantity 0", quantity(0), 400, ["/items/0/quantity"]],
      ["quantity -1", quantity(-1), 400, ["/items/0/quantity"]],
      ["quantity 1.5", quantity(1.5), 400, ["/items/0/quantity"]],
      ["quantity 10^12", quantity(1e12), 400, ["/items/0/quantity"]],
      ["a quantity in words", quantity("2"), 400, ["/items/0/quantity"]],
      ["more than the stock", quantity(87), 422, ["/items/0/quantity"]],
      ["a sold-out product", items({ sku: "STOOL-MILK", quantity: 1 }), 422, ["/items/0/quantity"]],
      [
        "two wrong lines",
        items({ sku: "NOPE", quantity: 1 }, { sku: "STOOL-MILK", quantity: 1 }),
        422,
        ["/items/0/sku", "/items/1/quantity"],
      ],
      ["an empty basket", items(), 400, ["/items"]],
      [
        "51 lines",
        items(...Array.from({ length: 51 }, (_, i) => ({ sku: `A${i}`, quantity: 1 }))),
        400,
        ["/items"],
      ],
      [
        "a price set by the client",
        items({ sku: "MUG-STONE", quantity: 1, price: 1 }),
        400,
        ["/items/0/price"],
      ],
      [
        "a total of zero",
        { ...order, total: { amount: 0, currency: "AUD" } },
        400,
        ["/total/amount"],
      ],
      ["an unknown country", to({ country: "ZZ" }), 400, ["/customer/address/country"]],
      ["a country in lower case", to({ country: "au" }), 400, ["/customer/address/country"]],
      ["a blank city", to({ city: "  " }), 400, ["/customer/address/city"]],
      ["a NUL in the address", to({ line1: "a\u0000b" }), 400, ["/customer/address/line1"]],
      [
        "a wrong e-mail address",
        { ...order, customer: { ...customer, email: "ada" } },
        400,
        ["/customer/email"],
      ],
      ["no payment", { customer, items: order.items }, 400, ["/payment"]],
      ["an array instead of an object", [], 400, [""]],
      [
        "10,000 lines",
        items(...Array.from({ length: 10_000 }, (_, i) => ({ sku: `A${i}`, quantity: 1 }))),
        400,
        ["/items"],
      ],
    ];
    for (const [description, body, status, pointers] of cases) {
      it(`answers ${status} to ${description}`, async () => {
        const key = randomUUID();
        const response = await post(body, key);
        assert.equal(response.status, status);
        assert.match(response.headers.get("content-type") ?? "", /^application\/problem\+json/);
        const problem = (await response.json()) as Problem;
        assert.deepEqual(
          problem.errors?.map((error) => error.pointer),
          pointers,
        );
        assert.equal(await countOf(key), 0);
      });
    }

    it("is refused with 422 for products in two currencies", async () => {
      await catalogue.query("UPDATE products SET price_currency = 'NZD' WHERE sku = 'VASE-BUD'");
      try {
        const key = randomUUID();
        const response = await post(order, key);
        assert.equal(response.status, 422);
        const { type, errors } = (await response.json()) as Problem;
        assert.equal(type, "urn:store:problem:currencies-differ");
        assert.deepEqual(errors, [
          {
            in: "body",
            pointer: "/items/1/sku",
            message: "VASE-BUD is sold in NZD, but the first item in AUD",
          },
        ]);
        assert.equal(await countOf(key), 0);
      } finally {
        await catalogue.query("UPDATE products SET price_currency = 'AUD' WHERE sku = 'VASE-BUD'");
      }
    });

    it("may take the whole stock, and not one item more", async () => {
      // A product that no other test orders, because their orders hold stock.
      const chairs = (count: number) => items({ sku: "CHAIR-ASH", quantity: count });
      assert.equal((await post(chairs(7))).status, 422);
      assert.equal((await post(chairs(6))).status, 202);
    });

    const raw: [string, string | Uint8Array, string, number][] = [
      ["10 MB", Buffer.alloc(10_000_000, 0x20), "application/json", 413],
      ["a form", "sku=MUG-STONE", "application/x-www-form-urlencoded", 415],
      ["plain text", JSON.stringify(order), "text/plain", 415],
      ["bad JSON", "{", "application/json", 400],
      [
        "invalid UTF-8",
        Buffer.from(JSON.stringify(order).replace("Ada", "Ad\xff"), "latin1"),
        "application/json",
        400,
      ],
    ];
    for (const [description, body, type, status] of raw) {
      it(`answers ${status} to ${description}`, async () => {
        const response = await post(body, randomUUID(), type);
        assert.equal(response.status, status);
        assert.equal(((await response.json()) as Problem).status, status);
      });
    }
  });

  describe("reading an order", () => {
    it("answers 404 to an unknown ID and 400 to an invalid one", async () => {
      assert.equal((await orders.fetch(`/api/orders/${randomUUID()}`)).status, 404);
      for (const id of ["1", "%00", "a".repeat(36)]) {
        assert.equal((await orders.fetch(`/api/orders/${id}`)).status, 400, id);
      }
    });
  });
});
