import { problem, Sku, Type, type App } from "@store/kit";
import type { Catalogue } from "./catalogue.ts";
import { Product, ProductPage, ProductsQuery, skuList } from "./schemas.ts";

/** What everybody may know of the products. The schemas of the answers leave out what only the store's people may. */
export function addProductRoutes(app: App, catalogue: Catalogue): void {
  app.get(
    "/api/inventory/products",
    {
      schema: {
        operationId: "listProducts",
        summary:
          "The catalogue, what is searched for in it, or the products of these SKUs, in the order of the SKUs",
        description:
          "400 with the type urn:store:problem:skus-with-others where skus comes together with another parameter.",
        tags: ["products"],
        querystring: ProductsQuery,
        response: { 200: ProductPage },
      },
    },
    async ({ query: { skus, ...page } }) => {
      if (skus === undefined) return catalogue.page(page);
      refuseWithSkus(page);
      return { items: await catalogue.findAll(skus.split(",")), next: null };
    },
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
          skus: skuList(100),
        }),
        response: { 200: Type.Object({ items: Type.Array(Product) }) },
      },
    },
    async ({ query: { skus } }) => ({ items: await catalogue.findAll(skus.split(",")) }),
  );
}

/** Who names products has named all that there is to find, and gets it on one page. */
function refuseWithSkus(others: object): void {
  const errors = Object.keys(others).map((name) => ({
    in: "query" as const,
    pointer: `/${name}`,
    message: "can't be combined with skus",
  }));
  if (errors.length === 0) return;
  throw problem(400, "skus stands alone: what it names comes on one page.", {
    type: "skus-with-others",
    errors,
  });
}
