import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { outcome, Replicas, until, flushedLogs, type Answer } from "@store/kit/testing";

const recipient = {
  name: "Ada Lovelace-Testperson",
  address: { line1: "12 Difference Lane", city: "Hobart", postcode: "7000", country: "AU" },
};
const lines = [
  { sku: "MUG-STONE", name: "Stoneware mug", quantity: 2 },
  { sku: "TOTE-CANVAS", name: "Canvas tote", quantity: 1 },
];

interface Change {
  readonly change: number;
  readonly id: string;
  readonly order: string;
  readonly status: string;
}

describe("parcels", () => {
  let shipping: Replicas;

  before(async () => {
    shipping = await Replicas.start("shipping", 2, { LOG_LEVEL: "trace" });
  });
  after(() => shipping.stop());

  describe("when created", () => {
    it("are created once, and each replica returns their current status to a repeated request", async () => {
      const { id, request } = await parcel();
      for (let i = 0; i < 3; i++)
        assert.deepEqual((await ship(id, request)).body, { id, status: "pending" });
      // The same request with another order of fields.
      const { address, name } = recipient;
      const again = await ship(id, { lines, recipient: { address, name }, order: request.order });
      assert.deepEqual([again.status, again.body], [200, { id, status: "pending" }]);
      await dispatch(id);
      assert.deepEqual((await ship(id, request)).body, { id, status: "dispatched" });
      const list = await shipping.asStaff("GET", `/api/shipping/shipments?order=${request.order}`);
      assert.equal((list.body["items"] as unknown[]).length, 1);
    });

    it("are created once per order by concurrent requests under one or several ids", async () => {
      for (let i = 0; i < 10; i++) {
        const request = { order: randomUUID(), recipient, lines };
        const id = randomUUID();
        const answers = await Promise.all([
          ...Array.from({ length: 3 }, () => ship(id, request)),
          ...Array.from({ length: 3 }, () => ship(randomUUID(), request)),
        ]);
        const made = answers.filter(({ status }) => status === 200);
        assert.ok(made.length === 1 || made.length === 3, answers.map(outcome).join());
        assert.equal(new Set(made.map(({ body }) => body["id"])).size, 1);
        for (const answer of answers)
          assert.ok(["pending", "order-already-shipped"].includes(String(outcome(answer))));
      }
    });

    it("are rejected if other data is sent under the same id", async () => {
      const { id, request } = await parcel();
      for (const other of [
        { ...request, order: randomUUID() },
        { ...request, recipient: { ...recipient, name: "Charles Babbage" } },
        {
          ...request,
          recipient: { ...recipient, address: { ...recipient.address, line2: "Flat 3" } },
        },
        { ...request, lines: lines.slice(1) },
        { ...request, lines: lines.toReversed() },
      ]) {
        const answer = await ship(id, other);
        assert.deepEqual([answer.status, outcome(answer)], [422, "shipment-differs"]);
      }
      const second = await ship(randomUUID(), request);
      assert.deepEqual([second.status, outcome(second)], [409, "order-already-shipped"]);
    });

    it("are rejected with the name of an invalid field", async () => {
      const order = randomUUID();
      const address = { ...recipient.address };
      const wrong: readonly [body: object, pointer: string][] = [
        [{ recipient, lines }, "/order"],
        [{ order: "1", recipient, lines }, "/order"],
        [{ order, lines }, "/recipient"],
        [{ order, recipient: { ...recipient, name: " " }, lines }, "/recipient/name"],
        [
          {
            order,
            recipient: { ...recipient, address: { ...address, country: "Australia" } },
            lines,
          },
          "/recipient/address/country",
        ],
        [{ order, recipient, lines: [] }, "/lines"],
        [{ order, recipient, lines: Array<unknown>(51).fill(lines[0]) }, "/lines"],
        [{ order, recipient, lines: [{ ...lines[0], quantity: 0 }] }, "/lines/0/quantity"],
        [{ order, recipient, lines: [{ ...lines[0], quantity: 1.5 }] }, "/lines/0/quantity"],
        [{ order, recipient, lines, gift: true }, "/gift"],
      ];
      for (const [body, pointer] of wrong) {
        const answer = await ship(randomUUID(), body);
        assert.deepEqual([answer.status, outcome(answer)], [400, "validation"]);
        const errors = answer.body["errors"] as readonly { readonly pointer: string }[];
        assert.ok(
          errors.some((error) => error.pointer === pointer),
          `${pointer}: ${JSON.stringify(errors)}`,
        );
      }
    });
  });

  it("go to a country that this release doesn't know: orders has accepted it", async () => {
    const address = { ...recipient.address, country: "XK" };
    const answer = await ship(randomUUID(), {
      ...{ order: randomUUID(), recipient: { ...recipient, address }, lines },
    });
    assert.deepEqual([answer.status, outcome(answer)], [200, "pending"]);
  });

  describe("of cancelled orders", () => {
    const cancel = (id: string, order: string) =>
      shipping.send("POST", `/internal/shipments/${id}/cancel`, { order });

    it("are cancelled once, and then neither sent nor counted", async () => {
      const { id, request } = await parcel();
      for (let i = 0; i < 2; i++)
        assert.deepEqual((await cancel(id, request.order)).body, { id, status: "cancelled" });
      for (const step of [dispatch, deliver])
        assert.equal(outcome(await step(id)), "shipment-cancelled");
      assert.equal(outcome(await ship(id, request)), "shipment-cancelled");
      assert.equal(
        outcome(await shipping.asStaff("GET", `/api/shipping/shipments/${id}`)),
        "cancelled",
      );
    });

    it("are cancelled in advance, so that a late request doesn't create one", async () => {
      const [id, order] = [randomUUID(), randomUUID()];
      assert.equal(outcome(await cancel(id, order)), "cancelled");
      assert.equal(outcome(await ship(id, { order, recipient, lines })), "shipment-cancelled");
      assert.equal(outcome(await cancel(id, randomUUID())), "order-already-shipped");
    });

    it("stay as they are after the dispatch, also if both happen at once", async () => {
      for (let round = 0; round < 10; round++) {
        const { id, request } = await parcel();
        const [dispatched, cancelled] = await Promise.all([
          dispatch(id),
          cancel(id, request.order),
        ]);
        const outcomes = [outcome(dispatched), outcome(cancelled)];
        assert.ok(
          [
            ["dispatched", "shipment-dispatched"],
            ["shipment-cancelled", "cancelled"],
          ].some((expected) => expected.join() === outcomes.join()),
          outcomes.join(),
        );
      }
    });
  });

  describe("in transit", () => {
    it("are dispatched and delivered, once each", async () => {
      const { id, request } = await parcel();
      const before = await last();

      const dispatched = await dispatch(id);
      assert.deepEqual(dispatched.body, {
        ...{ id, order: request.order, status: "dispatched", recipient, lines },
        ...{
          createdAt: dispatched.body["createdAt"],
          dispatchedAt: dispatched.body["dispatchedAt"],
        },
        ...{ deliveredAt: null, dispatchedBy: "clerk" },
      });
      for (let i = 0; i < 2; i++) assert.deepEqual((await dispatch(id)).body, dispatched.body);
      const delivered = await deliver(id);
      assert.equal(outcome(delivered), "delivered");
      assert.equal(delivered.body["deliveredBy"], "clerk");
      for (const step of [deliver, dispatch, deliver])
        assert.deepEqual((await step(id)).body, delivered.body);

      const news = await changes(before);
      assert.deepEqual(
        news.map(({ change, status }) => ({ change, status })),
        [
          { change: before + 1, status: "dispatched" },
          { change: before + 2, status: "delivered" },
        ],
      );
      const answer = await shipping.send("GET", `/internal/shipments/changes?after=${before}`);
      assert.deepEqual(answer.body["items"], [
        { ...news[0], id, order: request.order, at: dispatched.body["dispatchedAt"] },
        { ...news[1], id, order: request.order, at: delivered.body["deliveredAt"] },
      ]);
    });

    it("change once for concurrent requests", async () => {
      const { id } = await parcel();
      const before = await last();
      await Promise.all(Array.from({ length: 6 }, () => dispatch(id)));
      await Promise.all(Array.from({ length: 6 }, () => deliver(id)));
      assert.deepEqual(
        (await changes(before)).map(({ status }) => status),
        ["dispatched", "delivered"],
      );
    });

    it("can't be delivered before they are dispatched", async () => {
      const { id } = await parcel();
      const before = await last();
      const answer = await deliver(id);
      assert.deepEqual([answer.status, outcome(answer)], [409, "not-dispatched"]);
      assert.deepEqual(await changes(before), []);
    });

    it("get 404 if they are unknown", async () => {
      for (const step of [dispatch, deliver]) assert.equal((await step(randomUUID())).status, 404);
    });
  });

  describe("by status", () => {
    it("are listed in pages, oldest first", async () => {
      const alone = await Replicas.start("shipping", 1);
      try {
        const ids: string[] = [];
        for (let i = 0; i < 5; i++) {
          const id = randomUUID();
          await ship(id, { order: randomUUID(), recipient, lines }, alone);
          ids.push(id);
        }
        await alone.asStaff("POST", `/api/shipping/shipments/${ids[1] ?? ""}/dispatch`);
        const page = async (query: string) => {
          const { body } = await alone.asStaff("GET", `/api/shipping/shipments?${query}`);
          const items = body["items"] as readonly { readonly id: string }[];
          return { items: items.map(({ id }) => id), next: body["next"] };
        };
        const [first, second, third, fourth, fifth] = ids;
        assert.deepEqual(await page("status=pending&limit=2"), {
          items: [first, third],
          next: third,
        });
        assert.deepEqual(await page(`status=pending&limit=2&after=${third ?? ""}`), {
          items: [fourth, fifth],
          next: null,
        });
        assert.deepEqual(await page("status=dispatched"), { items: [second], next: null });
        assert.deepEqual(await page("status=delivered"), { items: [], next: null });
      } finally {
        await alone.stop();
      }
    });
  });

  it("count as unpacked by SKU until they are dispatched, for staff only", async () => {
    const sku = `T-${randomUUID().slice(0, 8).toUpperCase()}`;
    const line = (quantity: number) => [{ sku, name: "Test product", quantity }, ...lines];
    const path = `/api/shipping/unpacked?skus=${sku},T-NONE`;
    const unpacked = async () => (await shipping.asStaff("GET", path)).body["items"];
    assert.deepEqual(await unpacked(), []);
    const ids = [randomUUID(), randomUUID()] as const;
    for (const [at, id] of ids.entries())
      await ship(id, { order: randomUUID(), recipient, lines: line(at + 2) });
    assert.deepEqual(await unpacked(), [{ sku, quantity: 5 }]);
    await dispatch(ids[0]);
    assert.deepEqual(await unpacked(), [{ sku, quantity: 3 }]);
    await dispatch(ids[1]);
    assert.deepEqual(await unpacked(), []);
    assert.equal((await shipping.send("GET", path)).status, 401);
  });

  describe("the changes", () => {
    it("are complete for a reader during concurrent changes at two replicas", async () => {
      const made = await Promise.all(Array.from({ length: 40 }, () => parcel()));
      const start = await last();
      const seen: Change[] = [];
      const steps = { over: false };
      const reader = (async () => {
        for (;;) {
          const { over } = steps;
          const found = await changes(seen.at(-1)?.change ?? start, 7);
          seen.push(...found);
          if (over && found.length === 0) return;
        }
      })();
      await Promise.all(
        made.map(async ({ id }) => {
          await dispatch(id);
          await deliver(id);
        }),
      );
      steps.over = true;
      await reader;

      assert.deepEqual(
        seen.map(({ change }) => change),
        Array.from({ length: 80 }, (_, i) => start + 1 + i),
      );
      for (const { id } of made) {
        assert.deepEqual(
          seen.filter((change) => change.id === id).map(({ status }) => status),
          ["dispatched", "delivered"],
        );
      }
    });

    it("become visible in the order of their numbers", async () => {
      const [slow, fast] = [await parcel(), await parcel()];
      const start = await last();
      const blocker = await shipping.database.connect();
      // Blocks the slow transaction after it has drawn its number, until the lock is released.
      await blocker.query(
        `CREATE FUNCTION wait_here() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NULL; END $$;
         CREATE TRIGGER wait_here AFTER INSERT ON shipment_changes FOR EACH ROW
           WHEN (NEW.shipment_id = '${slow.id}') EXECUTE FUNCTION wait_here();
         SELECT pg_advisory_lock(4711)`,
      );
      const first = dispatch(slow.id);
      await until("the slow one waits", async () => {
        const waiting = await shipping.database.query(
          "SELECT pid FROM pg_locks WHERE NOT granted AND locktype = 'advisory' AND objid = 4711",
        );
        return waiting.length === 1;
      });
      const second = dispatch(fast.id);
      const early = await Promise.race([second.then(() => "dispatched"), delay(500, "waits")]);
      assert.deepEqual([early, await changes(start)], ["waits", []]);

      await blocker.end();
      await Promise.all([first, second]);
      assert.deepEqual(
        (await changes(start)).map(({ change, id }) => [change, id]),
        [
          [start + 1, slow.id],
          [start + 2, fast.id],
        ],
      );
      await shipping.database.query("DROP FUNCTION wait_here CASCADE");
    });

    it("require valid query parameters", async () => {
      for (const query of ["after=-1", "after=x", "limit=0", "limit=1001", "since=1"]) {
        const answer = await shipping.send("GET", `/internal/shipments/changes?${query}`);
        assert.deepEqual([answer.status, outcome(answer)], [400, "validation"], query);
      }
    });
  });

  it("are visible to staff only", async () => {
    const { id, request } = await parcel();
    const routes: readonly [method: string, path: string][] = [
      ["GET", `/api/shipping/shipments?order=${request.order}`],
      ["GET", "/api/shipping/shipments?status=pending"],
      ["GET", `/api/shipping/shipments/${id}`],
      ["POST", `/api/shipping/shipments/${id}/dispatch`],
      ["POST", `/api/shipping/shipments/${id}/deliver`],
    ];
    for (const [method, path] of routes) {
      for (const token of ["", "Bearer wrong"]) {
        const answer = await shipping.send(method, path, undefined, { authorization: token });
        assert.equal(answer.status, 401, `${method} ${path}`);
        assert.equal(answer.headers.get("www-authenticate"), "Bearer");
      }
    }
    const { body } = await shipping.asStaff("GET", `/api/shipping/shipments/${id}`);
    assert.deepEqual([body["status"], body["recipient"]], ["pending", recipient]);
  });

  it("leave no personal data in the log or in responses to other services", async () => {
    const { id, request } = await parcel();
    await ship(id, { ...request, lines: [] });
    await ship(id, { ...request, recipient: { ...recipient, name: "" } });
    await dispatch(id);
    const log = await flushedLogs(shipping.running);
    const responses = JSON.stringify([await ship(id, request), await changes(0, 1_000)]);
    assert.match(log, /"route":"\/internal\/shipments\/:id"|Migration applied/);
    for (const personal of ["Ada", "Difference Lane", "Hobart"])
      for (const text of [log, responses]) assert.ok(!text.includes(personal), personal);
  });

  async function parcel() {
    const id = randomUUID();
    const request = { order: randomUUID(), recipient, lines };
    assert.equal((await ship(id, request)).status, 200);
    return { id, request };
  }

  function ship(id: string, body: object, replicas = shipping): Promise<Answer> {
    return replicas.send("PUT", `/internal/shipments/${id}`, body);
  }

  function dispatch(id: string): Promise<Answer> {
    return shipping.asStaff("POST", `/api/shipping/shipments/${id}/dispatch`);
  }

  function deliver(id: string): Promise<Answer> {
    return shipping.asStaff("POST", `/api/shipping/shipments/${id}/deliver`);
  }

  async function changes(after: number, limit = 100): Promise<readonly Change[]> {
    const path = `/internal/shipments/changes?after=${after}&limit=${limit}`;
    return (await shipping.send("GET", path)).body["items"] as Change[];
  }

  /** Returns the number of the newest change. */
  async function last(): Promise<number> {
    const [row] = await shipping.database.query<{ last: string }>(
      "SELECT coalesce(max(change), 0) AS last FROM shipment_changes",
    );
    return Number(row?.last);
  }
});
