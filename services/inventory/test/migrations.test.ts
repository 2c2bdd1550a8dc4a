import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createDatabase, createStaff, migrateUpTo, startService } from "@store/kit/testing";

describe("inventory's migrations", () => {
  it("migrate the data of the first release, which keeps working on the new schema", async () => {
    const database = await createDatabase();
    await migrateUpTo(database, "inventory", "0001-products.sql");
    const insert = `
      INSERT INTO products (sku, name, description, image, price_amount, price_currency, on_hand)
      VALUES ($1, 'Jar', 'Holds things.', '/jar.svg', 100, 'AUD', 5)`;
    await database.query(insert, ["OLD-1"]);

    const staff = createStaff();
    const inventory = await startService("inventory", {
      ...database.environment,
      ...staff.environment,
    });
    await inventory.ready();
    await database.query(insert, ["OLD-2"]);
    const held = await inventory.fetch(`/internal/reservations/${randomUUID()}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        lines: [
          { sku: "OLD-1", quantity: 2 },
          { sku: "OLD-2", quantity: 5 },
        ],
      }),
    });
    assert.equal(held.status, 200);
    // Reads the stock like the first release, which ignores holds but can't sell.
    const shown = await database.query(
      `SELECT sku, name, description, image, price_amount, price_currency, on_hand AS available
       FROM products ORDER BY sku`,
    );
    const jar = { name: "Jar", description: "Holds things.", image: "/jar.svg" };
    const price = { price_amount: 100, price_currency: "AUD" };
    assert.deepEqual(shown, [
      { sku: "OLD-1", ...jar, ...price, available: 5 },
      { sku: "OLD-2", ...jar, ...price, available: 5 },
    ]);
    await inventory.stop();
  });
});
