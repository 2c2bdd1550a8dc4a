import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import {
  createDatabase,
  createStaff,
  migrateUpTo,
  startService,
  UNREACHABLE_URL,
  until,
  type RunningService,
  type TestDatabase,
} from "@store/kit/testing";

/** Places an order like the release before the sagas. */
async function placeWithoutSaga(database: TestDatabase): Promise<string> {
  const id = randomUUID();
  const client = await database.connect();
  try {
    await client.query("BEGIN");
    await client.query(
      `INSERT INTO orders
         (id, idempotency_key, request_hash, response, customer, payment_token, total_amount, currency)
       VALUES ($1, $2, '', '{}', '{}', 'tok_ok', 100, 'AUD')`,
      [id, randomUUID()],
    );
    await client.query(
      `INSERT INTO order_items (order_id, line, sku, name, quantity, price_amount)
       VALUES ($1, 0, 'MUG-STONE', 'Stoneware Mug', 1, 100)`,
      [id],
    );
    await client.query("INSERT INTO order_history (order_id, status) VALUES ($1, 'pending')", [id]);
    await client.query("COMMIT");
    return id;
  } finally {
    await client.end();
  }
}

describe("orders of the previous release", () => {
  it("continue, whether they were placed before or after the migration", async () => {
    const database = await createDatabase();
    await migrateUpTo(database, "orders", "0001-orders.sql");
    const before = await placeWithoutSaga(database);
    const ended = await placeWithoutSaga(database);
    await database.query("UPDATE orders SET status = 'confirmed' WHERE id = $1", [ended]);

    const orders = await startAlone(database);
    try {
      await orders.ready();
      const later = await placeWithoutSaga(database);
      const attempted = async () =>
        (
          await database.query<{ order_id: string }>(
            "SELECT order_id FROM sagas WHERE attempts > 0",
          )
        ).map((row) => row.order_id);
      await until("both orders are attempted", async () => (await attempted()).length === 2);
      assert.deepEqual((await attempted()).sort(), [before, later].sort());
    } finally {
      await orders.stop();
    }
  });
  it("without trace contexts continue, and the previous release can process them on the new schema", async () => {
    const database = await createDatabase();
    await migrateUpTo(database, "orders", "0002-sagas.sql");
    const before = await placeWithoutTrace(database);
    const orders = await startAlone(database);
    try {
      await orders.ready();
      const later = await placeWithoutTrace(database);
      for (const id of [before, later]) {
        await until("the order is attempted", async () => {
          const [saga] = await database.query<{ attempts: number }>(
            "SELECT attempts FROM sagas WHERE order_id = $1",
            [id],
          );
          return (saga?.attempts ?? 0) > 0;
        });
        const { status } = (await orders.json(`/api/orders/${id}`)) as { status: string };
        assert.equal(status, "pending");
      }
    } finally {
      await orders.stop();
    }
    // The statements with which the previous release claims an order, saves its step and ends it.
    await database.query("UPDATE sagas SET lease = NULL, due_at = now()");
    const lease = randomUUID();
    const claimed = await database.query<{ id: string }>(
      `WITH due AS MATERIALIZED (
         SELECT order_id FROM sagas WHERE due_at <= now()
         ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED
       ), claimed AS (
         UPDATE sagas SET lease = $2, due_at = now() + $3 * interval '1 millisecond'
         FROM due WHERE sagas.order_id = due.order_id RETURNING sagas.*
       )
       SELECT id, request_id AS "requestId", customer, payment_token AS "paymentToken",
         total_amount AS amount, currency, step, claimed.reason, attempts, last_error AS "lastError",
         (SELECT json_agg(json_build_object('sku', sku, 'name', name, 'quantity', quantity) ORDER BY line)
            FROM order_items WHERE order_items.order_id = id) AS items
       FROM claimed JOIN orders ON id = claimed.order_id`,
      [8, lease, 30_000],
    );
    assert.equal(claimed.length, 2);
    for (const { id } of claimed) {
      const saved = await database.query(
        `WITH saga AS (
           UPDATE sagas SET step = $3, reason = $4, attempts = 0, last_error = NULL
           WHERE order_id = $1 AND lease = $2 RETURNING order_id
         )
         UPDATE orders SET payment_token = NULL FROM saga WHERE id = order_id RETURNING id`,
        [id, lease, "commit", null],
      );
      const ended = await database.query(
        `WITH saga AS (DELETE FROM sagas WHERE order_id = $3 AND lease = $4 RETURNING order_id),
         changed AS (
           UPDATE orders SET status = $1, reason = $2 FROM saga WHERE id = order_id RETURNING id
         )
         INSERT INTO order_history (order_id, status, reason)
         SELECT id, $1::text, $2::text FROM changed RETURNING order_id`,
        ["confirmed", null, id, lease],
      );
      assert.deepEqual([saved.length, ended.length], [1, 1]);
    }
  });

  it("continue while the next release adds columns under prepared statements", async () => {
    const database = await createDatabase();
    // A single connection and many attempts, so that PostgreSQL caches a generic plan of each prepared statement.
    const orders = await startAlone(database, {
      DATABASE_POOL_SIZE: "1",
      SAGA_BACKOFF_MAX_MS: "50",
    });
    try {
      await orders.ready();
      const id = await placeWithoutTrace(database);
      const attempts = async () => {
        const [saga] = await database.query<{ attempts: number }>(
          "SELECT attempts FROM sagas WHERE order_id = $1",
          [id],
        );
        await orders.json(`/api/orders/${id}`);
        return saga?.attempts ?? 0;
      };
      await until("the order was attempted often", async () => (await attempts()) > 10);
      for (const table of ["orders", "order_items", "order_history", "sagas"])
        await database.query(`ALTER TABLE ${table} ADD COLUMN next_release text DEFAULT 'new'`);
      const before = await attempts();
      await until("the order is attempted again", async () => (await attempts()) > before + 5);
      const { status } = (await orders.json(`/api/orders/${id}`)) as { status: string };
      assert.equal(status, "pending");
      assert.deepEqual(
        (await orders.flushedLog()).filter(({ level }) => level === "error"),
        [],
      );
    } finally {
      await orders.stop();
    }
  });
});

/** Starts orders without the services that it calls. */
function startAlone(
  database: TestDatabase,
  environment: Readonly<Record<string, string>> = {},
): Promise<RunningService> {
  return startService("orders", {
    ...database.environment,
    ...createStaff().environment,
    INVENTORY_URL: UNREACHABLE_URL,
    BILLING_URL: UNREACHABLE_URL,
    SHIPPING_URL: UNREACHABLE_URL,
    SAGA_POLL_MS: "100",
    ...environment,
  });
}

/** Places an order like the release with sagas and without traces. */
async function placeWithoutTrace(database: TestDatabase): Promise<string> {
  const id = randomUUID();
  await database.query(
    `WITH placed AS (
       INSERT INTO orders (id, idempotency_key, request_hash, response, customer, payment_token,
         total_amount, currency, request_id)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
       ON CONFLICT (idempotency_key) DO NOTHING RETURNING id
     ), items AS (
       INSERT INTO order_items (order_id, line, sku, name, quantity, price_amount)
       SELECT id, item.* FROM placed,
         unnest($10::integer[], $11::text[], $12::text[], $13::integer[], $14::bigint[]) AS item
     )
     INSERT INTO order_history (order_id, status) SELECT id, 'pending' FROM placed RETURNING order_id`,
    [
      ...[id, randomUUID(), Buffer.of(1), "{}", {}, "tok_ok", 100, "AUD", randomUUID()],
      ...[[0], ["MUG-STONE"], ["Stoneware Mug"], [1], [100]],
    ],
  );
  return id;
}
