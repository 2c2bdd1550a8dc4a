import { problem, type Database, type Queryable } from "@store/kit";
import { latestChanges, recordChange } from "./productChanges.ts";
import {
  PAGE,
  type PageQuery,
  type ProductChange,
  type ProductEdit,
  type StockedProduct,
} from "./schemas.ts";

/** A product and its version, for conditional edits. */
export interface VersionedProduct {
  readonly product: StockedProduct;
  readonly version: number;
}

export interface Page {
  readonly items: StockedProduct[];
  readonly next: string | null;
}

interface Replacement {
  readonly edit: ProductEdit;
  /** Name of the staff token. */
  readonly staff: string;
  /**
   * Returns true if the caller's conditions hold for the current version (`undefined` if there is no such product). May throw a Problem.
   */
  readonly allows: (version: number | undefined) => boolean;
}

/** The products in the database. */
export class Catalogue {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async page({ limit = PAGE, after = "", q = "" }: PageQuery): Promise<Page> {
    // One row more than the page holds shows whether there is a next page.
    const rows = await this.#database.query<ProductRow>(
      `${selectProducts} WHERE sku > $1 AND ${searched} ILIKE ALL ($2)
       ORDER BY sku LIMIT $3`,
      [after, patterns(q), limit + 1],
    );
    const items = rows.slice(0, limit).map(toProduct);
    return { items, next: rows.length > limit ? (items.at(-1)?.sku ?? null) : null };
  }

  async find(sku: string): Promise<VersionedProduct> {
    const [row] = await this.#database.query<ProductRow>(`${selectProducts} WHERE sku = $1`, [sku]);
    if (row === undefined) throw problem(404, `There is no product ${sku}.`);
    return versioned(row);
  }

  changes(sku: string): Promise<ProductChange[]> {
    return latestChanges(this.#database, sku);
  }

  /** Returns the existing products among these SKUs, each once, in the order of the SKUs. */
  async findAll(skus: readonly string[]): Promise<StockedProduct[]> {
    const rows = await this.#database.query<ProductRow>(
      `${selectProducts} WHERE sku = ANY($1) ORDER BY sku`,
      [skus],
    );
    return rows.map(toProduct);
  }

  /**
   * Adds a product or replaces it.
   *
   * @throws Problem 412 if the conditions don't hold, and 409 `stock-held` if the new stock is less than the held quantity.
   */
  async put(
    sku: string,
    { edit, staff, allows }: Replacement,
  ): Promise<VersionedProduct & { readonly added: boolean }> {
    return this.#database.transaction(async (transaction) => {
      const added = allows(undefined) ? await insert(transaction, sku, edit) : undefined;
      if (added !== undefined) {
        await recordChange(transaction, { sku, staff, before: undefined, after: edit });
        return { ...versioned(added), added: true };
      }

      const [current] = await transaction.query<ProductRow>(
        `${selectProducts} WHERE sku = $1 FOR UPDATE`,
        [sku],
      );
      if (!allows(current?.version)) throw changedMeanwhile(sku, current);
      if (current === undefined) throw new Error(`Product ${sku} exists but isn't found`);
      if (edit.onHand < current.held) throw stillHeld(sku, current.held);
      const [row] = await transaction.query<ProductRow>(
        `UPDATE products SET name = $2, description = $3, price_amount = $4, price_currency = $5, on_hand = $6,
           image = coalesce($7, image), version = version + 1, updated_at = now()
         WHERE sku = $1 RETURNING ${columns}`,
        valuesOf(sku, edit),
      );
      if (row === undefined) throw new Error(`Product ${sku} is locked but isn't updated`);
      await recordChange(transaction, { sku, staff, before: toEdit(current), after: edit });
      return { ...versioned(row), added: false };
    });
  }
}

/** Returns the current product as an edit that wouldn't change it. */
function toEdit({ name, description, price_amount, price_currency, on_hand, image }: ProductRow) {
  const price = { amount: price_amount, currency: price_currency };
  return { name, description, price, onHand: on_hand, image } as ProductEdit;
}

async function insert(
  transaction: Queryable,
  sku: string,
  edit: ProductEdit,
): Promise<ProductRow | undefined> {
  const [row] = await transaction.query<ProductRow>(
    `INSERT INTO products (sku, name, description, price_amount, price_currency, on_hand, image)
     VALUES ($1, $2, $3, $4, $5, $6, coalesce($7, '/api/inventory/images/none.svg'))
     ON CONFLICT DO NOTHING RETURNING ${columns}`,
    valuesOf(sku, edit),
  );
  return row;
}

function valuesOf(sku: string, edit: ProductEdit): unknown[] {
  const { name, description, price, onHand, image } = edit;
  return [sku, name, description, price.amount, price.currency, onHand, image];
}

function changedMeanwhile(sku: string, current: ProductRow | undefined) {
  const detail =
    current === undefined
      ? `There is no product ${sku}.`
      : `${sku} has changed since you read it. Get it again before you change it.`;
  return problem(412, detail, { type: "precondition-failed" });
}

function stillHeld(sku: string, held: number) {
  const message = `must be at least ${held}, the quantity held for orders`;
  return problem(409, `The stock of ${sku} can't be less than the quantity held for orders.`, {
    type: "stock-held",
    errors: [{ in: "body", pointer: "/onHand", message }],
  });
}

/** Returns a LIKE pattern for each word of the query. */
function patterns(q: string): string[] {
  return q
    .split(/\s+/)
    .filter((word) => word !== "")
    .map((word) => `%${word.replaceAll(/[\\%_]/g, "\\$&")}%`);
}

interface ProductRow {
  readonly sku: string;
  readonly name: string;
  readonly description: string;
  readonly image: string;
  readonly price_amount: number;
  readonly price_currency: string;
  readonly on_hand: number;
  readonly held: number;
  readonly version: number;
}

/** The searched text. Its collation makes the search case-insensitive for all letters, independent of the database's locale. */
const searched = `concat_ws(' ', name, description, sku) COLLATE "pg_c_utf8"`;

const columns =
  "sku, name, description, image, price_amount, price_currency, on_hand, held, version";
const selectProducts = `SELECT ${columns} FROM products`;

function versioned(row: ProductRow): VersionedProduct {
  return { product: toProduct(row), version: row.version };
}

function toProduct({ sku, name, description, image, on_hand, held, ...row }: ProductRow) {
  return {
    sku,
    name,
    description,
    image,
    price: { amount: row.price_amount, currency: row.price_currency },
    available: on_hand - held,
    onHand: on_hand,
    held,
  };
}
