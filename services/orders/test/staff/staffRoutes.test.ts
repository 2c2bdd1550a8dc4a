import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { until } from "@store/kit/testing";
import { LONG_LEASE, customer, type BackEnd, type PlacedOrder } from "../support/backEnd.ts";
import { undecidedHandling } from "../support/faultProxy.ts";
import { confirmed } from "../support/outcomes.ts";
import { sharedBackEnd } from "../support/sharedBackEnd.ts";

describe("the staff routes of orders", () => {
  let backEnd: BackEnd;

  before(async () => {
    backEnd = await sharedBackEnd();
    await backEnd.useReplicas(2, LONG_LEASE);
  });
  afterEach(() => backEnd.resetFaults());

  interface Page {
    readonly items: Record<string, unknown>[];
    readonly next: string | null;
  }
  const list = async (query: string) => {
    const response = await backEnd.firstReplica.fetch(`/api/orders?${query}`, {
      headers: backEnd.staff.headers,
    });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("cache-control"), "no-store");
    return (await response.json()) as Page;
  };
  it("require the staff token", async () => {
    for (const [path, method] of [
      ["/api/orders", "GET"],
      [`/api/orders/${randomUUID()}/retry`, "POST"],
      [`/api/orders/${randomUUID()}/cancel`, "POST"],
      [`/api/orders/${randomUUID()}/staff-actions`, "GET"],
      [`/api/orders/staff-sessions/${randomUUID()}`, "PUT"],
    ] as const) {
      const response = await backEnd.firstReplica.fetch(path, { method });
      assert.equal(response.status, 401);
      assert.equal(response.headers.get("www-authenticate"), "Bearer");
    }
  });

  it("list the step and the error of a waiting order", async () => {
    backEnd.onStep("capture", () => ({ status: 503 }));
    const order = await backEnd.place();
    await backEnd.waitForAttempt(order);
    const [found] = (await list("status=pending")).items.filter(({ id }) => id === order.id);
    const { placedAt, attempts, ...rest } = found ?? assert.fail("the order isn't listed");
    assert.ok(Number(attempts) > 0);
    assert.ok(Math.abs(Date.parse(String(placedAt)) - Date.now()) < 600_000);
    assert.deepEqual(rest, {
      id: order.id,
      status: "pending",
      total: { amount: 2900, currency: "AUD" },
      customer: { name: customer.name, email: customer.email },
      step: "capture",
      lastError: "billing: answered 503",
    });
    backEnd.resetFaults();
    assert.equal((await backEnd.retry(order.id)).status, 200);
    await backEnd.assertEndsAs(order, confirmed);
  });

  it("list each order once, newest first, page by page", async () => {
    const placed: PlacedOrder[] = [];
    for (let i = 0; i < 3; i++) placed.push(await backEnd.place({ token: "tok_declined" }));
    for (const order of placed) await backEnd.waitForStatus(order, "cancelled");
    const newest = await list("limit=3");
    assert.deepEqual(
      newest.items.map(({ id, status, reason, step }) => ({ id, status, reason, step })),
      placed.reverse().map(({ id }) => ({
        id,
        status: "cancelled",
        reason: "payment_declined",
        step: "done",
      })),
    );

    for (const filter of ["", "status=cancelled&"]) {
      const all: string[] = [];
      let page = await list(`${filter}limit=5`);
      for (;;) {
        all.push(...page.items.map(({ id }) => String(id)));
        if (page.next === null) break;
        page = await list(`${filter}limit=5&after=${page.next}`);
      }
      const stored = await backEnd.database.query<{ id: string }>(
        `SELECT id FROM orders ${filter === "" ? "" : "WHERE status = 'cancelled'"} ORDER BY placed_at DESC, id DESC`,
      );
      assert.deepEqual(
        all,
        stored.map(({ id }) => id),
      );
    }
  });

  it("retry no other order and none that is being processed", async () => {
    const { handling, decide } = undecidedHandling();
    const busyId = randomUUID();
    backEnd.onStep("reserve", ({ requestId }) =>
      requestId === busyId ? handling : { status: 404 },
    );
    const [one, other] = [await backEnd.place(), await backEnd.place()];
    for (const order of [one, other]) await backEnd.waitForStatus(order, "needs_attention");
    const busy = await backEnd.place({ requestId: busyId });
    await until("the reservation is called", () => backEnd.stepsOf(busy).includes("reserve"));

    backEnd.onStep("reserve", ({ requestId }) =>
      requestId === busyId ? "forward" : { status: 404 },
    );
    assert.equal((await backEnd.retry(busy.id)).status, 200);
    await delay(700);
    assert.deepEqual(backEnd.stepsOf(busy), ["validate", "reserve"]);
    decide("forward");
    await backEnd.assertEndsAs(busy, confirmed);

    backEnd.resetFaults();
    assert.equal((await backEnd.retry(one.id)).status, 200);
    await backEnd.waitForStatus(one, "confirmed");
    assert.equal((await backEnd.readOrder(other)).status, "needs_attention");
    await backEnd.retry(other.id);
    await backEnd.waitForStatus(other, "confirmed");
  });

  it("report success for an order that ends before the response to its retry", async () => {
    backEnd.onStep("ship", () => ({ status: 404 }));
    const order = await backEnd.place();
    await backEnd.waitForStatus(order, "needs_attention");
    // Ends the order in the moment in which it is retried, like a very fast worker.
    await backEnd.database.query(`
      CREATE FUNCTION end_order() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          DELETE FROM sagas WHERE order_id = NEW.order_id;
          UPDATE orders SET status = 'confirmed' WHERE id = NEW.order_id;
          RETURN NULL;
        END $$;
      CREATE TRIGGER end_order AFTER INSERT ON order_history
      FOR EACH ROW WHEN (NEW.order_id = '${order.id}') EXECUTE FUNCTION end_order()`);
    try {
      const response = await backEnd.retry(order.id);
      assert.equal(response.status, 200);
      assert.equal(((await response.json()) as { status: string }).status, "confirmed");
    } finally {
      await backEnd.database.query("DROP FUNCTION end_order CASCADE");
    }
  });

  it("retry no order that has ended or doesn't exist", async () => {
    const order = await backEnd.place();
    await backEnd.waitForStatus(order, "confirmed");
    const ended = await backEnd.retry(order.id);
    assert.equal(ended.status, 409);
    assert.equal(
      ((await ended.json()) as { type: string }).type,
      "urn:store:problem:nothing-to-retry",
    );
    assert.equal((await backEnd.retry(randomUUID())).status, 404);
  });
});
