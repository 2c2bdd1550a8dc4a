import { Sku, Type, type App } from "@store/kit";
import type { Catalogue } from "./catalogue.ts";
import { PageQuery, Product, ProductPage } from "./schemas.ts";

/** What everybody may know of the products. The schemas of the answers leave out what only the store's people may. */
export function addProductRoutes(app: App, catalogue: Catalogue): void {
  app.get(
    "/api/inventory/products",
    {
      schema: {
        operationId: "listProducts",
        summary:
          "The catalogue or what is searched for in it, page by page, in the order of the SKUs",
        tags: ["products"],
        querystring: PageQuery,
        response: { 200: ProductPage },
      },
    },
    ({ query }) => catalogue.page(query),
  );

  app.get(
    "/api/inventory/products/:sku",
    {
      schema: {
        operationId: "getProduct",
        summary: "One product",
        tags: ["products"],
        params: Type.Object({ sku: Sku }),
        response: { 200: Product },
      },
    },
    async ({ params: { sku } }) => (await catalogue.find(sku)).product,
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
    async ({ query: { skus } }) => ({ items: await catalogue.findAll(skus.split(",")) }),
  );
}
