import type { Database, Queryable } from "@store/kit";
import type { ProductChange, ProductEdit } from "./schemas.ts";

/** Maximum number of changes in a response. */
const PAGE = 50;

interface NewChange {
  readonly sku: string;
  /** Name of the staff token. */
  readonly staff: string;
  /** Undefined for a new product. */
  readonly before: ProductEdit | undefined;
  readonly after: ProductEdit;
}

/** Records an edit in its transaction. An edit that changes nothing isn't recorded. */
export async function recordChange(transaction: Queryable, change: NewChange): Promise<void> {
  const { sku, staff } = change;
  const after = fieldsOf(change.after);
  const before = change.before && fieldsOf(change.before);
  const changed = [...after.keys()].filter(
    (name) => JSON.stringify(after.get(name)) !== JSON.stringify(before?.get(name)),
  );
  if (changed.length === 0) return;
  const pick = (fields: ReadonlyMap<string, unknown>) =>
    Object.fromEntries(changed.map((name) => [name, fields.get(name)]));
  await transaction.query(
    "INSERT INTO product_changes (sku, staff, before, after) VALUES ($1, $2, $3, $4)",
    [sku, staff, before && pick(before), pick(after)],
  );
}

/** Returns the latest changes of a product by staff, newest first. */
export async function latestChanges(database: Database, sku: string): Promise<ProductChange[]> {
  const rows = await database.query<ChangeRow>(
    "SELECT staff, before, after, at FROM product_changes WHERE sku = $1 ORDER BY id DESC LIMIT $2",
    [sku, PAGE],
  );
  return rows.map(({ at, ...change }) => ({ ...change, at: at.toISOString() }));
}

interface ChangeRow extends Omit<ProductChange, "at"> {
  readonly at: Date;
}

/** Returns the fields of an edit by name, each in one form. */
function fieldsOf({ price: { amount, currency }, ...others }: ProductEdit): Map<string, unknown> {
  return new Map(Object.entries({ ...others, price: { amount, currency } }));
}
