import assert from "node:assert/strict";
import { reviewMigration } from "@store/cli/review/migrations/reviewMigration";

const FILE = "services/orders/src/migrations/0006-x.sql";

describe("review of a migration", () => {
  for (const [sql, compatible, effect] of [
    ["CREATE TABLE gifts (id uuid)", "yes", /creates the table gifts/],
    ["ALTER TABLE orders ADD gift text", "yes", /adds the column gift to orders/],
    ["CREATE INDEX CONCURRENTLY i ON orders (placed_at)", "yes", /creates an index on orders/],
    ["CREATE INDEX ON orders (placed_at)", "no", /can't write orders while the index is built/],
    ["ALTER TABLE orders DROP COLUMN status", "no", /line 1: .*dropped/],
    ["ALTER TABLE orders RENAME COLUMN a TO b", "no", /renamed/],
    ["ALTER TABLE orders ALTER a TYPE bigint", "no", /former type/],
    ["ALTER TABLE orders ALTER a SET NOT NULL", "no", /may write NULL/],
    ["ALTER TABLE orders ADD a text NOT NULL", "no", /NOT NULL and has no DEFAULT/],
    ["GRANT SELECT ON orders TO reader", "unknown", /doesn't know/],
    ["not SQL", "unknown", /parser refuses it/],
  ] as const) {
    it(`says "${compatible}" for ${sql}`, async () => {
      const changed = { service: "orders", file: FILE, change: "added", sql } as const;
      const migration = await reviewMigration(changed);
      assert.equal(migration.compatible, compatible);
      assert.match(migration.effects.join("; "), effect);
    });
  }

  it(`says "no" for a migration that is edited or deleted after databases have applied it`, async () => {
    for (const change of ["changed", "deleted"] as const) {
      const migration = await reviewMigration({ service: "orders", file: FILE, change, sql: "" });
      assert.equal(migration.compatible, "no");
    }
  });
});
