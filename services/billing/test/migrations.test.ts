import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import {
  createDatabase,
  createStaff,
  migrateUpTo,
  outcome,
  startService,
  type RunningService,
  type TestDatabase,
} from "@store/kit/testing";

/** What the first release knew of a payment. */
const statuses = ["pending", "authorised", "captured", "refunded", "voided", "declined"] as const;

describe("billing's migrations", function () {
  this.timeout(60_000);
  const staff = createStaff();
  const payments = statuses.map((status) => ({ id: randomUUID(), order: randomUUID(), status }));
  let database: TestDatabase;
  let billing: RunningService;

  /** As the first release reads a payment. */
  const asBefore = async (order: string) =>
    database.query(
      `SELECT id, order_id, status, amount, currency, created_at
       FROM payments WHERE order_id = $1 ORDER BY created_at, id`,
      [order],
    );
  const send = async (method: string, path: string, body?: object) => {
    const response = await billing.fetch(path, {
      method,
      headers: {
        ...staff.headers,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as Record<string, unknown>,
    };
  };
  let once: unknown[];

  before(async () => {
    database = await createDatabase();
    await migrateUpTo(database, "billing", "0001-payments.sql");
    for (const { id, order, status } of payments) {
      await database.query(
        "INSERT INTO payments (id, order_id, status, amount, currency) VALUES ($1, $2, $3, 8900, 'AUD')",
        [id, order, status],
      );
    }
    once = await Promise.all(payments.map(({ order }) => asBefore(order)));
    billing = await startService("billing", { ...database.environment, ...staff.environment });
    await billing.ready();
  });
  after(() => billing.stop());

  it("keep what there was, and know what of it was paid back", async () => {
    for (const { id, order, status } of payments) {
      const { body } = await send("GET", `/api/billing/payments?order=${order}`);
      const [payment, ...more] = body["items"] as Record<string, unknown>[];
      assert.deepEqual(more, []);
      assert.deepEqual([payment?.["id"], payment?.["status"]], [id, status]);
      const refunded = status === "refunded" ? 8_900 : 0;
      assert.deepEqual(payment?.["refunded"], { amount: refunded, currency: "AUD" });
    }
  });

  it("let nobody be charged twice for what was paid before them", async () => {
    const captured = payments.find(({ status }) => status === "captured") ?? assert.fail();
    const request = {
      order: captured.order,
      amount: { amount: 8_900, currency: "AUD" },
      token: "tok_ok",
    };
    const second = await send("PUT", `/internal/payments/${randomUUID()}`, request);
    assert.equal(outcome(second), "order-already-paid");
    const again = await send("PUT", `/internal/payments/${captured.id}`, request);
    assert.equal(outcome(again), "captured");
    assert.equal(
      outcome(await send("POST", `/internal/payments/${captured.id}/capture`)),
      "captured",
    );
    assert.deepEqual(await database.query("SELECT FROM simulated_ledger"), []);
  });

  it("leave the first release working: it reads what was there, and what comes since", async () => {
    assert.deepEqual(await Promise.all(payments.map(({ order }) => asBefore(order))), once);
    const order = randomUUID();
    const id = randomUUID();
    await send("PUT", `/internal/payments/${id}`, {
      order,
      amount: { amount: 100, currency: "AUD" },
      token: "tok_ok",
    });
    const [payment] = (await asBefore(order)) as Record<string, unknown>[];
    assert.deepEqual(
      [payment?.["id"], payment?.["status"], payment?.["amount"]],
      [id, "authorised", "100"],
    );
  });
});
