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

/** Payment statuses of the first release. */
const statuses = ["pending", "authorised", "captured", "refunded", "voided", "declined"] as const;

describe("billing's migrations", () => {
  const staff = createStaff();
  const payments = statuses.map((status) => ({ id: randomUUID(), order: randomUUID(), status }));
  let database: TestDatabase;
  let billing: RunningService;

  /** Reads the payments of an order with the first release's query. */
  const readAsFirstRelease = async (order: string) =>
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
  let beforeMigration: unknown[];

  before(async () => {
    database = await createDatabase();
    await migrateUpTo(database, "billing", "0001-payments.sql");
    for (const { id, order, status } of payments) {
      await database.query(
        "INSERT INTO payments (id, order_id, status, amount, currency) VALUES ($1, $2, $3, 8900, 'AUD')",
        [id, order, status],
      );
    }
    beforeMigration = await Promise.all(payments.map(({ order }) => readAsFirstRelease(order)));
    billing = await startService("billing", { ...database.environment, ...staff.environment });
    await billing.ready();
  });
  after(() => billing.stop());

  it("keep the existing payments and set their refunded amounts", async () => {
    for (const { id, order, status } of payments) {
      const { body } = await send("GET", `/api/billing/payments?order=${order}`);
      const [payment, ...more] = body["items"] as Record<string, unknown>[];
      assert.deepEqual(more, []);
      assert.deepEqual([payment?.["id"], payment?.["status"]], [id, status]);
      const refunded = status === "refunded" ? 8_900 : 0;
      assert.deepEqual(payment?.["refunded"], { amount: refunded, currency: "AUD" });
    }
  });

  const indexed: readonly (readonly [string, string, string])[] = [
    [
      "the pending payments, which each scrape of the metrics counts",
      "SELECT provider, count(*) FROM payments WHERE status = 'pending' GROUP BY provider",
      "payments_pending",
    ],
    [
      "the provider's ids of payments, by which it reports",
      "SELECT id FROM payments WHERE provider_reference = 'pi' AND provider = 'stripe'",
      "payments_provider_reference",
    ],
  ];
  for (const [what, query, index] of indexed) {
    it(`index ${what}`, async () => {
      const client = await database.connect();
      try {
        // The table is too small for the planner to choose an index.
        await client.query("SET enable_seqscan = off");
        const { rows } = await client.query(`EXPLAIN ${query}`);
        assert.match(JSON.stringify(rows), new RegExp(index));
      } finally {
        await client.end();
      }
    });
  }

  it("prevent a second charge for an order paid before the migration", async () => {
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

  it("keep the first release working: it can read both old and new payments", async () => {
    assert.deepEqual(
      await Promise.all(payments.map(({ order }) => readAsFirstRelease(order))),
      beforeMigration,
    );
    const order = randomUUID();
    const id = randomUUID();
    await send("PUT", `/internal/payments/${id}`, {
      order,
      amount: { amount: 100, currency: "AUD" },
      token: "tok_ok",
    });
    const [payment] = (await readAsFirstRelease(order)) as Record<string, unknown>[];
    assert.deepEqual(
      [payment?.["id"], payment?.["status"], payment?.["amount"]],
      [id, "authorised", "100"],
    );
  });
});
