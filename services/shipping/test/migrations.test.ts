import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import {
  createDatabase,
  createStaff,
  migrateUpTo,
  startService,
  type RunningService,
  type TestDatabase,
} from "@store/kit/testing";

describe("shipping's migrations", () => {
  const staff = createStaff();
  // Ids of the shipments, and of their orders, too.
  const [pending, dispatched, delivered, cancelled] = [
    randomUUID(),
    randomUUID(),
    randomUUID(),
    randomUUID(),
  ];
  let database: TestDatabase;
  let shipping: RunningService;
  let once: unknown[];

  /** Reads the shipments like the first release. */
  const asBefore = () =>
    database.query(
      `SELECT id, order_id, status, created_at, dispatched_at, delivered_at
       FROM shipments ORDER BY created_at, id`,
    );

  before(async () => {
    database = await createDatabase();
    await migrateUpTo(database, "shipping", "0001-shipments.sql");
    await database.query(
      `INSERT INTO shipments (id, order_id, status, created_at, dispatched_at, delivered_at) VALUES
         ($1, $1, 'pending', '2026-01-01', NULL, NULL),
         ($2, $2, 'dispatched', '2026-01-02', '2026-01-05', NULL),
         ($3, $3, 'delivered', '2026-01-03', '2026-01-04', '2026-01-06'),
         ($4, $4, 'cancelled', '2026-01-04', NULL, NULL)`,
      [pending, dispatched, delivered, cancelled],
    );
    once = await asBefore();
    shipping = await startService("shipping", { ...database.environment, ...staff.environment });
    await shipping.ready();
  });
  after(() => shipping.stop());

  it("record the changes of earlier shipments in order, and later changes after them", async () => {
    const changes = async () => {
      const { items } = (await shipping.json("/internal/shipments/changes?after=0&limit=100")) as {
        items: { change: number; order: string; status: string }[];
      };
      return items.map(({ change, order, status }) => [change, order, status]);
    };
    const former = [
      [1, delivered, "dispatched"],
      [2, dispatched, "dispatched"],
      [3, delivered, "delivered"],
    ];
    assert.deepEqual(await changes(), former);
    const answer = await shipping.fetch(`/api/shipping/shipments/${pending}/dispatch`, {
      method: "POST",
      headers: staff.headers,
    });
    assert.equal(answer.status, 200);
    assert.deepEqual(await changes(), [...former, [4, pending, "dispatched"]]);
    await database.query(
      "UPDATE shipments SET status = 'pending', dispatched_at = NULL WHERE id = $1",
      [pending],
    );
  });

  it("keep the first release working, which reads old and new shipments", async () => {
    assert.deepEqual(await asBefore(), once);
    const id = randomUUID();
    const address = { line1: "1 Hill St", city: "Perth", postcode: "6000", country: "AU" };
    const made = await shipping.fetch(`/internal/shipments/${id}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        order: randomUUID(),
        recipient: { name: "Ada Lovelace", address },
        lines: [{ sku: "MUG-STONE", name: "Stoneware Mug", quantity: 1 }],
      }),
    });
    assert.equal(made.status, 200, await made.text());
    assert.ok((await asBefore()).some((row) => row["id"] === id && row["status"] === "pending"));
  });
});
