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

  before(async () => {
    database = await createDatabase();
    billing = await startService("billing", { ...database.environment, ...staff.environment });
    await billing.ready();
  });
  after(() => billing.stop());

  describe("payments", () => {
    it("of an order are listed oldest first, without those of other orders", async () => {
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
            disputes: [],
            createdAt: "2026-03-02T09:00:00.000Z",
          },
          {
            id: captured,
            order,
            status: "captured",
            amount: { amount: 8900, currency: "AUD" },
            refunded: { amount: 0, currency: "AUD" },
            refunds: [],
            disputes: [],
            createdAt: "2026-03-02T09:00:01.000Z",
          },
        ],
      });
    });

    it("of an order without payments are an empty list", async () => {
      const { status, body } = await get(`/api/billing/payments?order=${randomUUID()}`);

      assert.equal(status, 200);
      assert.deepEqual(body, { items: [] });
    });

    for (const status of ["pending", "authorised", "captured", "refunded", "voided", "declined"]) {
      it(`with status ${status} are found by id`, async () => {
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
          disputes: [],
          createdAt: "2026-03-02T09:00:00.123Z",
        });
      });
    }

    for (const amount of [0, Number.MAX_SAFE_INTEGER]) {
      it(`return an amount of ${amount} exactly`, async () => {
        const id = await insert({ amount });

        const { body } = await get(`/api/billing/payments/${id}`);

        assert.deepEqual(field(body, "amount"), { amount, currency: "AUD" });
      });
    }
  });

  describe("an invalid request", () => {
    const order = "5f0c2a52-3a52-4d5e-8a2c-0d6c1f0b7e11";
    const list = "/api/billing/payments";
    const notUuid = "must be a UUID in lower case";
    const invalidRequests: readonly [description: string, path: string, error: object][] = [
      ["without an order", list, { in: "query", pointer: "/order", message: "is missing" }],
      [
        "with an empty order",
        `${list}?order=`,
        { in: "query", pointer: "/order", message: "is missing" },
      ],
      [
        "with an order that isn't a UUID",
        `${list}?order=1%20OR%201=1`,
        { in: "query", pointer: "/order", message: notUuid },
      ],
      [
        "with two orders",
        `${list}?order=${order}&order=${order}`,
        { in: "query", pointer: "/order", message: "must be string" },
      ],
      [
        "with an unknown parameter",
        `${list}?order=${order}&status=captured`,
        { in: "query", pointer: "/status", message: "is not a field of this request" },
      ],
      [
        "with an id that isn't a UUID",
        `${list}/${order.toUpperCase()}`,
        { in: "path", pointer: "/id", message: notUuid },
      ],
    ];
    for (const [description, path, error] of invalidRequests) {
      it(`${description} gets 400 with the invalid field`, async () => {
        const { status, headers, body } = await get(path);

        assert.equal(status, 400);
        assert.match(headers.get("content-type") ?? "", /^application\/problem\+json/);
        assert.equal(field(body, "type"), "urn:store:problem:validation");
        assert.equal(field(body, "status"), 400);
        assert.deepEqual(field(body, "errors"), [error]);
      });
    }

    it("for an unknown payment gets 404", async () => {
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

    it("with an unsupported method gets 405 with the supported methods", async () => {
      const response = await billing.fetch(list, { method: "POST", body: "{}" });

      assert.equal(response.status, 405);
      assert.equal(response.headers.get("allow"), "GET, HEAD");
      await response.body?.cancel();
    });
  });

  describe("the database", () => {
    it("refuses a second payment of an order unless the first one was declined or voided", async () => {
      for (const status of ["pending", "authorised", "captured", "refunded"]) {
        const order = randomUUID();
        await insert({ order, status });

        await assert.rejects(insert({ order }), {
          code: "23505",
          constraint: "payments_one_for_an_order",
        });
      }
    });

    it("accepts another payment of an order after declined and voided ones", async () => {
      const order = randomUUID();
      for (const status of ["declined", "voided", "declined", "authorised"]) {
        await insert({ order, status });
      }
    });

    it("accepts one of two simultaneous payments of an order", async () => {
      const order = randomUUID();

      const results = await Promise.allSettled([insert({ order }), insert({ order })]);

      assert.deepEqual(results.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    });

    const invalidPayments: readonly [description: string, payment: Payment][] = [
      ["a negative amount", { amount: -1 }],
      ["an amount above the largest safe integer of JSON", { amount: "9007199254740992" }],
      ["a currency that isn't three capital letters", { currency: "aud" }],
      ["an unknown status", { status: "paid" }],
    ];
    for (const [description, payment] of invalidPayments) {
      it(`refuses ${description}`, () => assert.rejects(insert(payment), { code: "23514" }));
    }
  });

  describe("the OpenAPI document", () => {
    const open = [
      "/api/billing/payment-methods",
      "/api/billing/payments",
      "/api/billing/payments/{id}",
      "/api/billing/payments/{id}/refunds",
    ];
    const internal = [
      "/internal/payments/changes",
      "/internal/payments/{id}",
      "/internal/payments/{id}/capture",
      "/internal/payments/{id}/refund",
      "/internal/payments/{id}/validate",
      "/internal/payments/{id}/void",
    ];
    const documents = {
      "/openapi.json": [...open, ...internal],
      "/api/billing/openapi.json": open,
    };
    for (const [path, routes] of Object.entries(documents)) {
      it(`at ${path} contains every route with its parameters and problem responses`, async () => {
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
          for (const errorStatus of ["4XX", "5XX"]) {
            const content = field(field(responses, errorStatus), "content");
            assert.deepEqual(field(content, "application/problem+json"), {
              schema: { $ref: "#/components/schemas/Problem" },
            });
          }
        }
      });
    }
  });

  it("reports that it is alive and ready", async () => {
    assert.deepEqual((await get("/healthz")).body, { status: "alive" });
    assert.deepEqual((await get("/readyz")).body, { status: "ready" });
  });

  it("is alive but not ready without its database", async () => {
    const environment = { ...database.environment, ...staff.environment, DATABASE_PORT: "9" };
    const withoutDatabase = await startService("billing", environment);
    try {
      const ready = await withoutDatabase.fetch("/readyz");
      const list = await withoutDatabase.fetch(`/api/billing/payments?order=${randomUUID()}`, {
        headers: staff.headers,
      });

      assert.equal((await withoutDatabase.fetch("/healthz")).status, 200);
      assert.equal(ready.status, 503);
      assert.equal(field(await ready.json(), "status"), "not ready");
      assert.equal(list.status, 503);
      assert.equal(
        field(await list.json(), "detail"),
        "The database can't be reached right now. Try again.",
      );
    } finally {
      await withoutDatabase.stop();
    }
  });

  it("counts requests by route pattern, without ids", async () => {
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

/** Returns a field of a JSON object. */
function field(value: unknown, name: string): unknown {
  assert.ok(typeof value === "object" && value !== null, `${name}: not in an object`);
  return Reflect.get(value, name);
}
