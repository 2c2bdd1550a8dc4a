import { problem, Sku, Type, type App, type Database } from "@store/kit";

/** Products on a page where the caller doesn't say how many. */
const PAGE = 20;

const Money = Type.Object({
  amount: Type.Integer({ minimum: 0, description: "In the currency's minor unit: cents, say." }),
  currency: Type.String({ pattern: "^[A-Z]{3}$", description: "ISO 4217.", examples: ["AUD"] }),
});

const Product = Type.Object({
  sku: Sku,
  name: Type.String(),
  description: Type.String(),
  image: Type.String({ description: "Path or URL of a picture." }),
  price: Money,
  available: Type.Integer({ minimum: 0, description: "How many can be ordered now." }),
});

const ProductPage = Type.Object({
  items: Type.Array(Product),
  next: Type.Union([Sku, Type.Null()], {
    description: "What to give as `after` for the next page; null at the end.",
  }),
});

export function addProductRoutes(app: App, database: Database): void {
  app.get(
    "/api/inventory/products",
    {
      schema: {
        operationId: "listProducts",
        summary: "The catalogue, page by page, in the order of the SKUs",
        querystring: Type.Object({
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: PAGE })),
          after: Type.Optional(Sku),
        }),
        response: { 200: ProductPage },
      },
    },
    async ({ query: { limit = PAGE, after = "" } }) => {
      // One more than is shown tells whether there is a next page.
      const rows = await database.query<ProductRow>(
        `${selectProducts} WHERE sku > $1 ORDER BY sku LIMIT $2`,
        [after, limit + 1],
      );
      const items = rows.slice(0, limit).map(toProduct);
      return { items, next: rows.length > limit ? (items.at(-1)?.sku ?? null) : null };
    },
  );

  app.get(
    "/api/inventory/products/:sku",
    {
      schema: {
        operationId: "getProduct",
        summary: "One product",
        params: Type.Object({ sku: Sku }),
        response: { 200: Product },
      },
    },
    async ({ params: { sku } }) => {
      const [row] = await database.query<ProductRow>(`${selectProducts} WHERE sku = $1`, [sku]);
      if (row === undefined) throw problem(404, `There is no product ${sku}.`);
      return toProduct(row);
    },
  );

  app.get(
    "/internal/products",
    {
      schema: {
        operationId: "findProducts",
        summary: "The products of an order, as they all are at one moment",
        querystring: Type.Object({
          skus: Type.String({
            pattern: "^[A-Z0-9][A-Z0-9-]{0,39}(,[A-Z0-9][A-Z0-9-]{0,39}){0,99}$",
            "x-message": "must be 1 to 100 SKUs with commas between them",
          }),
        }),
        response: { 200: Type.Object({ items: Type.Array(Product) }) },
      },
    },
    async ({ query: { skus } }) => {
      const rows = await database.query<ProductRow>(`${selectProducts} WHERE sku = ANY($1)`, [
        skus.split(","),
      ]);
      return { items: rows.map(toProduct) };
    },
  );
}

interface ProductRow {
  readonly sku: string;
  readonly name: string;
  readonly description: string;
  readonly image: string;
  readonly price_amount: number;
  readonly price_currency: string;
  readonly available: number;
}

const selectProducts = `
  SELECT sku, name, description, image, price_amount, price_currency, on_hand AS available
  FROM products`;

function toProduct({ price_amount: amount, price_currency: currency, ...product }: ProductRow) {
  return { ...product, price: { amount, currency } };
}
