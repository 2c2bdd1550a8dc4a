import type { Database, Log } from "@store/kit";
import { demoProducts } from "./demoProducts.ts";

/**
 * Adds the demo products to a database without products, once in its lifetime: not again after all products have been removed. Replicas
 * that start together wait for each other at the row of demo_catalogue.
 */
export async function seedDemoCatalogue(
  database: Pick<Database, "transaction">,
  log: Log,
): Promise<void> {
  await database.transaction(async (transaction) => {
    const decided = await transaction.query(
      "INSERT INTO demo_catalogue DEFAULT VALUES ON CONFLICT DO NOTHING RETURNING decided",
    );
    if (decided.length === 0) return;
    const products = await transaction.query("SELECT FROM products LIMIT 1");
    if (products.length > 0) return;
    await transaction.query(
      `INSERT INTO products (sku, name, description, image, price_amount, price_currency, on_hand)
       SELECT sku, name, description, '/api/inventory/images/' || sku || '.svg', price, 'AUD', "onHand"
       FROM json_to_recordset($1) AS demo (sku text, name text, description text, price integer, "onHand" integer)`,
      [JSON.stringify(demoProducts)],
    );
    log.info({ products: demoProducts.length }, "Demo catalogue seeded");
  });
}
