import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import {
  createDatabase,
  createStaff,
  startService,
  type RunningService,
  type TestDatabase,
} from "@store/kit/testing";

const created = "2026-03-02T09:00:00.000Z";
const dispatched = "2026-03-03T10:30:00.123Z";
const delivered = "2026-03-05T16:45:00.000Z";

describe("shipping", () => {
  const staff = createStaff();
  let database: TestDatabase;
  let shipping: RunningService;

  before(async () => {
    database = await createDatabase();
    shipping = await startService("shipping", { ...database.environment, ...staff.environment });
    await shipping.ready();
  });
  after(() => shipping.stop());

  describe("shipments", () => {
    const states: readonly [
      status: string,
      dispatchedAt: string | null,
      deliveredAt: string | null,
    ][] = [
      ["pending", null, null],
      ["dispatched", dispatched, null],
      ["delivered", dispatched, delivered],
    ];
    for (const [status, dispatchedAt, deliveredAt] of states) {
      it(`that are ${status} are found by their order and by their id`, async () => {
        const order = randomUUID();
        const id = await insert({ order, status, dispatchedAt, deliveredAt });
        await insert({});
        const shipment = {
          ...{ id, order, status, recipient: null, lines: [] },
          ...{ createdAt: created, dispatchedAt, deliveredAt },
        };

        const list = await get(`/api/shipping/shipments?order=${order}`);
        const one = await get(`/api/shipping/shipments/${id}`);

        assert.equal(list.status, 200);
        assert.equal(list.headers.get("cache-control"), "no-store");
        assert.deepEqual(list.body, { items: [shipment], next: null });
        assert.equal(one.status, 200);
        assert.equal(one.headers.get("cache-control"), "no-store");
        assert.deepEqual(one.body, shipment);
      });
    }

    it("of an order without shipment are an empty list", async () => {
      const { status, body } = await get(`/api/shipping/shipments?order=${randomUUID()}`);

      assert.equal(status, 200);
      assert.deepEqual(body, { items: [], next: null });
    });
  });

  describe("an invalid request", () => {
    const order = "5f0c2a52-3a52-4d5e-8a2c-0d6c1f0b7e11";
    const list = "/api/shipping/shipments";
    const notUuid = "must be a UUID in lower case";
    const neither = ["/order", "/status"].map((pointer) => ({
      ...{ in: "query", pointer },
      message: "one of order and status is missing",
    }));
    const wrong: readonly [what: string, path: string, ...errors: object[]][] = [
      ["without an order or a status", list, ...neither],
      ["with an empty order", `${list}?order=`, ...neither],
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
        "with an unknown parameter",
        `${list}?order=${order}&name=Ada`,
        { in: "query", pointer: "/name", message: "is not a field of this request" },
      ],
      [
        "for an id that is no UUID",
        `${list}/${order.toUpperCase()}`,
        { in: "path", pointer: "/id", message: notUuid },
      ],
    ];
    for (const [description, path, ...errors] of wrong) {
      it(`${description} gets 400 with the invalid field`, async () => {
        const { status, headers, body } = await get(path);

        assert.equal(status, 400);
        assert.match(headers.get("content-type") ?? "", /^application\/problem\+json/);
        // OpenAPI can't describe a rule about two parameters, so its violation isn't of the type validation.
        const type = errors[0] === neither[0] ? "filter-missing" : "validation";
        assert.equal(field(body, "type"), `urn:store:problem:${type}`);
        assert.equal(field(body, "status"), 400);
        assert.deepEqual(field(body, "errors"), errors);
      });
    }

    it("for an unknown shipment gets 404", async () => {
      const { status, headers, body } = await get(`${list}/${order}`);

      assert.equal(status, 404);
      assert.match(headers.get("content-type") ?? "", /^application\/problem\+json/);
      assert.deepEqual(body, {
        type: "about:blank",
        title: "Not Found",
        status: 404,
        detail: `There is no shipment ${order}.`,
        instance: `urn:store:request:${headers.get("x-request-id") ?? ""}`,
      });
    });

    it("with an unsupported method gets 405 with the allowed methods", async () => {
      const response = await shipping.fetch(list, { method: "POST", body: "{}" });

      assert.equal(response.status, 405);
      assert.equal(response.headers.get("allow"), "GET, HEAD");
      await response.body?.cancel();
    });
  });

  describe("the database", () => {
    it("accepts one shipment per order, even after its cancellation", async () => {
      for (const status of ["pending", "cancelled"]) {
        const order = randomUUID();
        await insert({ order, status });

        await assert.rejects(insert({ order }), {
          code: "23505",
          constraint: "shipments_order_id_key",
        });
      }
    });

    const impossible: readonly [what: string, shipment: Shipment][] = [
      ["of an unknown status", { status: "lost" }],
      ["dispatched without a time", { status: "dispatched" }],
      ["delivered without a time", { status: "delivered", dispatchedAt: dispatched }],
      ["delivered without being dispatched", { status: "delivered", deliveredAt: delivered }],
      ["pending with a dispatch time", { status: "pending", dispatchedAt: dispatched }],
      ["cancelled in transit", { status: "cancelled", dispatchedAt: dispatched }],
      [
        "dispatched with a delivery time",
        { status: "dispatched", dispatchedAt: dispatched, deliveredAt: delivered },
      ],
      [
        "dispatched before its creation",
        { status: "dispatched", dispatchedAt: "2026-03-02T08:59:59Z" },
      ],
      [
        "delivered before its dispatch",
        { status: "delivered", dispatchedAt: delivered, deliveredAt: dispatched },
      ],
    ];
    for (const [description, shipment] of impossible) {
      it(`rejects a shipment that is ${description}`, () =>
        assert.rejects(insert(shipment), { code: "23514" }));
    }
  });

  describe("the OpenAPI document", () => {
    const open = [
      "/api/shipping/shipments",
      "/api/shipping/shipments/{id}",
      "/api/shipping/shipments/{id}/deliver",
      "/api/shipping/shipments/{id}/dispatch",
      "/api/shipping/unpacked",
    ];
    const internal = [
      "/internal/shipments/changes",
      "/internal/shipments/{id}",
      "/internal/shipments/{id}/cancel",
    ];
    const documents = {
      "/openapi.json": [...open, ...internal],
      "/api/shipping/openapi.json": open,
    };
    for (const [path, routes] of Object.entries(documents)) {
      it(`at ${path} has every route with its parameters and problems`, async () => {
        const { status, body } = await get(path);

        assert.equal(status, 200);
        const paths = field(body, "paths");
        assert.ok(typeof paths === "object" && paths !== null);
        assert.deepEqual(Object.keys(paths).sort(), routes);
        const list = field(field(paths, "/api/shipping/shipments"), "get");
        assert.equal(field(list, "operationId"), "listShipments");
        assert.deepEqual(field(list, "tags"), ["shipments"]);
        const [parameter] = [field(list, "parameters")].flat();
        assert.equal(field(parameter, "name"), "order");
        assert.deepEqual(field(list, "security"), [{ staff: [] }]);
        const one = field(field(paths, "/api/shipping/shipments/{id}"), "get");
        assert.equal(field(one, "operationId"), "getShipment");
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

  it("reports health and readiness", async () => {
    assert.deepEqual((await get("/healthz")).body, { status: "alive" });
    assert.deepEqual((await get("/readyz")).body, { status: "ready" });
  });

  it("stays alive without its database and isn't ready", async () => {
    const nobody = { ...database.environment, ...staff.environment, DATABASE_PORT: "9" };
    const alone = await startService("shipping", nobody);
    try {
      const ready = await alone.fetch("/readyz");
      const list = await alone.fetch(`/api/shipping/shipments?order=${randomUUID()}`, {
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
    await get(`/api/shipping/shipments/${id}`);

    const metrics = await (await shipping.fetch("/metrics")).text();

    assert.match(metrics, /route="\/api\/shipping\/shipments\/:id"/);
    assert.ok(!metrics.includes(id));
  });

  interface Shipment {
    readonly order?: string;
    readonly status?: string;
    readonly dispatchedAt?: string | null;
    readonly deliveredAt?: string | null;
  }

  async function insert(shipment: Shipment): Promise<string> {
    const { order = randomUUID(), status = "pending" } = shipment;
    const { dispatchedAt = null, deliveredAt = null } = shipment;
    const id = randomUUID();
    await database.query(
      `INSERT INTO shipments (id, order_id, status, created_at, dispatched_at, delivered_at)
       VALUES ($1, $2, $3, $4, $5, $6)`,
      [id, order, status, created, dispatchedAt, deliveredAt],
    );
    return id;
  }

  async function get(path: string) {
    const response = await shipping.fetch(path, { headers: staff.headers });
    const body: unknown = await response.json();
    return { status: response.status, headers: response.headers, body };
  }
});

/** Returns a field of a JSON object. */
function field(value: unknown, name: string): unknown {
  assert.ok(typeof value === "object" && value !== null, `${name}: not in an object`);
  return Reflect.get(value, name);
}
