import { problem, Sku, Type, type App } from "@store/kit";
import type { Catalogue } from "./catalogue.ts";
import { Product, ProductPage, ProductsQuery, skuList } from "./schemas.ts";

/** Adds the public product routes. Their response schemas omit the fields that only staff may see. */
export function addProductRoutes(app: App, catalogue: Catalogue): void {
  app.get(
    "/api/inventory/products",
    {
      schema: {
        operationId: "listProducts",
        summary:
          "Lists all products, those that match a search, or those with the given SKUs, in the order of their SKUs",
        description:
          "400 with the type urn:store:problem:skus-with-others if skus is combined with another parameter.",
        tags: ["products"],
        querystring: ProductsQuery,
        response: { 200: ProductPage },
      },
    },
    async ({ query: { skus, ...page } }) => {
      if (skus === undefined) return catalogue.page(page);
      rejectOtherParameters(page);
      return { items: await catalogue.findAll(skus.split(",")), next: null };
    },
  );

  app.get(
    "/api/inventory/products/:sku",
    {
      schema: {
        operationId: "getProduct",
        summary: "Returns a product",
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
        summary: "Returns the products of an order in one consistent snapshot",
        querystring: Type.Object({
          skus: skuList(100),
        }),
        response: { 200: Type.Object({ items: Type.Array(Product) }) },
      },
    },
    async ({ query: { skus } }) => ({ items: await catalogue.findAll(skus.split(",")) }),
  );
}

/** Rejects parameters next to skus, whose result is always one page. */
function rejectOtherParameters(others: object): void {
  const errors = Object.keys(others).map((name) => ({
    in: "query" as const,
    pointer: `/${name}`,
    message: "can't be combined with skus",
  }));
  if (errors.length === 0) return;
  throw problem(400, "skus can't be combined with other parameters.", {
    type: "skus-with-others",
    errors,
  });
}
