import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  createDatabase,
  createStaff,
  repository,
  startService,
  until,
  type TestDatabase,
} from "@store/kit/testing";

/** Places an order as the release before the sagas does it. */
async function placeAsBefore(database: TestDatabase): Promise<string> {
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

describe("orders of the release before", function () {
  this.timeout(60_000);

  it("are gone on with, those from before the migration and those placed after it", async () => {
    const database = await createDatabase();
    const [name, folder] = ["0001-orders.sql", "services/orders/src/migrations"];
    const sql = readFileSync(join(repository, folder, name), "utf8");
    await database.query(sql);
    await database.query(
      "CREATE TABLE schema_migrations (name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())",
    );
    await database.query("INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)", [
      name,
      createHash("sha256").update(sql).digest("hex"),
    ]);
    const before = await placeAsBefore(database);
    const ended = await placeAsBefore(database);
    await database.query("UPDATE orders SET status = 'confirmed' WHERE id = $1", [ended]);

    const orders = await startService("orders", {
      ...database.environment,
      ...createStaff().environment,
      INVENTORY_URL: "http://127.0.0.1:9",
      BILLING_URL: "http://127.0.0.1:9",
      SHIPPING_URL: "http://127.0.0.1:9",
      SAGA_POLL_MS: "100",
    });
    try {
      await orders.ready();
      const later = await placeAsBefore(database);
      const tried = async () =>
        (
          await database.query<{ order_id: string }>(
            "SELECT order_id FROM sagas WHERE attempts > 0",
          )
        ).map((row) => row.order_id);
      await until("both are tried", async () => (await tried()).length === 2);
      assert.deepEqual((await tried()).sort(), [before, later].sort());
    } finally {
      await orders.stop();
    }
  });
});
