import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import {
  createDatabase,
  createStaff,
  startService,
  type RunningService,
  type TestDatabase,
} from "@store/kit/testing";

describe("billing", () => {
  const staff = createStaff();
  let database: TestDatabase;
  let billing: RunningService;

  before(async function () {
    this.timeout(60_000);
    database = await createDatabase();
    billing = await startService("billing", { ...database.environment, ...staff.environment });
    await billing.ready();
  });
  after(() => billing.stop());

  describe("payments", () => {
    it("of an order are listed oldest first, without anybody else's", async () => {
      const order = randomUUID();
      const captured = await insert({ order, status: "captured", at: "2026-03-02T09:00:01Z" });
      const declined = await insert({ order, status: "declined", at: "2026-03-02T09:00:00Z" });
      await insert({ order: randomUUID(), status: "captured" });

      const { status, headers, body } = await get(`/api/billing/payments?order=${order}`);

      assert.equal(status, 200);
      assert.equal(headers.get("cache-control"), "no-store");
      assert.deepEqual(body, {
        items: [
          {
            id: declined,
            order,
            status: "declined",
            amount: { amount: 8900, currency: "AUD" },
            refunded: { amount: 0, currency: "AUD" },
            refunds: [],
            createdAt: "2026-03-02T09:00:00.000Z",
          },
          {
            id: captured,
            order,
            status: "captured",
            amount: { amount: 8900, currency: "AUD" },
            refunded: { amount: 0, currency: "AUD" },
            refunds: [],
            createdAt: "2026-03-02T09:00:01.000Z",
          },
        ],
      });
    });

    it("of an order that has none are an empty list", async () => {
      const { status, body } = await get(`/api/billing/payments?order=${randomUUID()}`);

      assert.equal(status, 200);
      assert.deepEqual(body, { items: [] });
    });

    for (const status of ["pending", "authorised", "captured", "refunded", "voided", "declined"]) {
      it(`that are ${status} are found by their id`, async () => {
        const order = randomUUID();
        const id = await insert({ order, status, at: "2026-03-02T09:00:00.123Z" });

        const answer = await get(`/api/billing/payments/${id}`);

        assert.equal(answer.status, 200);
        assert.equal(answer.headers.get("cache-control"), "no-store");
        assert.deepEqual(answer.body, {
          id,
          order,
          status,
          amount: { amount: 8900, currency: "AUD" },
          refunded: { amount: 0, currency: "AUD" },
          refunds: [],
          createdAt: "2026-03-02T09:00:00.123Z",
        });
      });
    }

    for (const amount of [0, Number.MAX_SAFE_INTEGER]) {
      it(`keep an amount of ${amount} exactly`, async () => {
        const id = await insert({ amount });

        const { body } = await get(`/api/billing/payments/${id}`);

        assert.deepEqual(field(body, "amount"), { amount, currency: "AUD" });
      });
    }
  });

  describe("a request that is wrong", () => {
    const order = "5f0c2a52-3a52-4d5e-8a2c-0d6c1f0b7e11";
    const list = "/api/billing/payments";
    const notUuid = "must be a UUID in lower case";
    const wrong: readonly [what: string, path: string, error: object][] = [
      ["without an order", list, { in: "query", pointer: "/order", message: "is missing" }],
      [
        "with an empty order",
        `${list}?order=`,
        { in: "query", pointer: "/order", message: "is missing" },
      ],
      [
        "with an order that is no UUID",
        `${list}?order=1%20OR%201=1`,
        { in: "query", pointer: "/order", message: notUuid },
      ],
      [
        "with two orders",
        `${list}?order=${order}&order=${order}`,
        { in: "query", pointer: "/order", message: "must be string" },
      ],
      [
        "with a parameter that there isn't",
        `${list}?order=${order}&status=captured`,
        { in: "query", pointer: "/status", message: "is not a field of this request" },
      ],
      [
        "for an id that is no UUID",
        `${list}/${order.toUpperCase()}`,
        { in: "path", pointer: "/id", message: notUuid },
      ],
    ];
    for (const [what, path, error] of wrong) {
      it(`${what} is told which field is wrong`, async () => {
        const { status, headers, body } = await get(path);

        assert.equal(status, 400);
        assert.match(headers.get("content-type") ?? "", /^application\/problem\+json/);
        assert.equal(field(body, "type"), "urn:store:problem:validation");
        assert.equal(field(body, "status"), 400);
        assert.deepEqual(field(body, "errors"), [error]);
      });
    }

    it("for a payment that there isn't is told so", async () => {
      const { status, headers, body } = await get(`${list}/${order}`);

      assert.equal(status, 404);
      assert.match(headers.get("content-type") ?? "", /^application\/problem\+json/);
      assert.deepEqual(body, {
        type: "about:blank",
        title: "Not Found",
        status: 404,
        detail: `There is no payment ${order}.`,
        instance: `urn:store:request:${headers.get("x-request-id") ?? ""}`,
      });
    });

    it("by a method that there isn't is told which there are", async () => {
      const response = await billing.fetch(list, { method: "POST", body: "{}" });

      assert.equal(response.status, 405);
      assert.equal(response.headers.get("allow"), "GET, HEAD");
      await response.body?.cancel();
    });
  });

  describe("the database", () => {
    it("takes no second payment of an order while the first may have taken money", async () => {
      for (const status of ["pending", "authorised", "captured", "refunded"]) {
        const order = randomUUID();
        await insert({ order, status });

        await assert.rejects(insert({ order }), {
          code: "23505",
          constraint: "payments_one_for_an_order",
        });
      }
    });

    it("takes another payment of an order after those that took nothing", async () => {
      const order = randomUUID();
      for (const status of ["declined", "voided", "declined", "authorised"]) {
        await insert({ order, status });
      }
    });

    it("lets one of two payments of an order win that are made at once", async () => {
      const order = randomUUID();

      const made = await Promise.allSettled([insert({ order }), insert({ order })]);

      assert.deepEqual(made.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    });

    const impossible: readonly [what: string, payment: Payment][] = [
      ["an amount below nothing", { amount: -1 }],
      ["an amount that JSON can't hold", { amount: "9007199254740992" }],
      ["a currency that isn't three capitals", { currency: "aud" }],
      ["a status that there isn't", { status: "paid" }],
    ];
    for (const [what, payment] of impossible) {
      it(`refuses ${what}`, () => assert.rejects(insert(payment), { code: "23514" }));
    }
  });

  describe("the published interface", () => {
    const open = [
      "/api/billing/payment-methods",
      "/api/billing/payments",
      "/api/billing/payments/{id}",
      "/api/billing/payments/{id}/refunds",
    ];
    const internal = [
      "/internal/payments/{id}",
      "/internal/payments/{id}/capture",
      "/internal/payments/{id}/void",
    ];
    const documents = {
      "/openapi.json": [...open, ...internal],
      "/api/billing/openapi.json": open,
    };
    for (const [path, routes] of Object.entries(documents)) {
      it(`at ${path} has every route with its parameters and problems`, async () => {
        const { status, body } = await get(path);

        assert.equal(status, 200);
        const paths = field(body, "paths");
        assert.ok(typeof paths === "object" && paths !== null);
        assert.deepEqual(Object.keys(paths).sort(), routes);
        const list = field(field(paths, "/api/billing/payments"), "get");
        assert.equal(field(list, "operationId"), "listPayments");
        assert.deepEqual(field(list, "tags"), ["payments"]);
        const [parameter] = [field(list, "parameters")].flat();
        assert.equal(field(parameter, "name"), "order");
        assert.equal(field(parameter, "required"), true);
        const one = field(field(paths, "/api/billing/payments/{id}"), "get");
        assert.equal(field(one, "operationId"), "getPayment");
        for (const operation of [list, one]) {
          assert.ok(field(operation, "summary"));
          const responses = field(operation, "responses");
          assert.ok(field(field(field(responses, "200"), "content"), "application/json"));
          for (const refusal of ["4XX", "5XX"]) {
            const content = field(field(responses, refusal), "content");
            assert.deepEqual(field(content, "application/problem+json"), {
              schema: { $ref: "#/components/schemas/Problem" },
            });
          }
        }
      });
    }
  });

  it("says that it is alive and ready", async () => {
    assert.deepEqual((await get("/healthz")).body, { status: "alive" });
    assert.deepEqual((await get("/readyz")).body, { status: "ready" });
  });

  it("is alive without its database, and says why it isn't ready", async () => {
    const nobody = { ...database.environment, ...staff.environment, DATABASE_PORT: "9" };
    const alone = await startService("billing", nobody);
    try {
      const ready = await alone.fetch("/readyz");
      const list = await alone.fetch(`/api/billing/payments?order=${randomUUID()}`, {
        headers: staff.headers,
      });

      assert.equal((await alone.fetch("/healthz")).status, 200);
      assert.equal(ready.status, 503);
      assert.equal(field(await ready.json(), "status"), "not ready");
      assert.equal(list.status, 503);
      assert.equal(
        field(await list.json(), "detail"),
        "The database can't be reached right now. Try again.",
      );
    } finally {
      await alone.stop();
    }
  });

  it("counts requests by route, not by the ids in them", async () => {
    const id = await insert({});
    await get(`/api/billing/payments/${id}`);

    const metrics = await (await billing.fetch("/metrics")).text();

    assert.match(metrics, /route="\/api\/billing\/payments\/:id"/);
    assert.ok(!metrics.includes(id));
  });

  interface Payment {
    readonly order?: string;
    readonly status?: string;
    readonly amount?: number | string;
    readonly currency?: string;
    readonly at?: string;
  }

  async function insert(payment: Payment): Promise<string> {
    const { order = randomUUID(), status = "captured", amount = 8900 } = payment;
    const { currency = "AUD", at = new Date().toISOString() } = payment;
    const id = randomUUID();
    await database.query(
      `INSERT INTO payments (id, order_id, status, amount, currency, created_at)
       VALUES ($1, $2, $3, $4, $5, $6)`,
      [id, order, status, amount, currency, at],
    );
    return id;
  }

  async function get(path: string) {
    const response = await billing.fetch(path, { headers: staff.headers });
    const body: unknown = await response.json();
    return { status: response.status, headers: response.headers, body };
  }
});

/** A field of a JSON object. */
function field(value: unknown, name: string): unknown {
  assert.ok(typeof value === "object" && value !== null, `${name}: not in an object`);
  return Reflect.get(value, name);
}
