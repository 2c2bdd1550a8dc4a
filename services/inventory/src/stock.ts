import { Sku, Type, withHeaders, type App, type Reply, type Service } from "@store/kit";
import type { Catalogue, VersionedProduct } from "./catalogue.ts";
import { PageQuery, ProductEdit, StockedProduct, StockPage } from "./schemas.ts";

const security = [{ staff: [] }];
const tags = ["stock"];
const etag = { etag: "The version, for an edit's if-match." };

/** What the store's own people see of the products, and what they change. Nothing on the way may keep it. */
export function addStockRoutes(
  app: App,
  catalogue: Catalogue,
  staff: ReturnType<Service["staff"]>,
): void {
  app.get(
    "/api/inventory/stock",
    {
      onRequest: staff,
      schema: {
        operationId: "listStock",
        summary: "The products with what is on the shelf and what of it is held for orders",
        tags,
        security,
        querystring: PageQuery,
        response: { 200: StockPage },
      },
    },
    async ({ query }, reply) => {
      reply.header("cache-control", "no-store");
      return catalogue.page(query);
    },
  );

  app.get(
    "/api/inventory/stock/:sku",
    {
      onRequest: staff,
      schema: {
        operationId: "getStock",
        summary: "One product with what is on the shelf and what of it is held for orders",
        description:
          "The header etag is for an edit's if-match. It changes with each edit and each sale, and not with what is held.",
        tags,
        security,
        params: Type.Object({ sku: Sku }),
        response: { 200: withHeaders(StockedProduct, etag) },
      },
    },
    async ({ params: { sku } }, reply) => answer(await catalogue.find(sku), reply),
  );

  app.put(
    "/api/inventory/products/:sku",
    {
      onRequest: staff,
      schema: {
        operationId: "putProduct",
        summary: "Adds a product, or replaces what is said of it and how many are on the shelf",
        description:
          "With if-match, only if it is still as it was with that etag; with if-none-match: *, only if there is none yet. " +
          "412 otherwise. 409 with the type urn:store:problem:stock-held if fewer would be on the shelf than are held for orders.",
        tags,
        security,
        params: Type.Object({ sku: Sku }),
        headers: Type.Object({
          "if-match": Type.Optional(Type.String({ description: "Entity tags, or *." })),
          "if-none-match": Type.Optional(Type.String({ description: "Entity tags, or *." })),
        }),
        body: ProductEdit,
        response: {
          200: withHeaders(StockedProduct, etag),
          201: withHeaders(StockedProduct, { ...etag, location: "The product's path." }),
        },
      },
    },
    async ({ params: { sku }, headers, body }, reply) => {
      const ifMatch = headers["if-match"];
      const ifNoneMatch = headers["if-none-match"];
      const { added, ...stored } = await catalogue.put(
        sku,
        body,
        (version) =>
          (ifMatch === undefined || names(ifMatch, version)) &&
          (ifNoneMatch === undefined || !names(ifNoneMatch, version)),
      );
      if (added) reply.code(201).header("location", `/api/inventory/products/${sku}`);
      return answer(stored, reply);
    },
  );
}

function answer({ product, version }: VersionedProduct, reply: Reply): StockedProduct {
  reply.headers({ etag: etagOf(version), "cache-control": "no-store" });
  return product;
}

function etagOf(version: number): string {
  return `"${version}"`;
}

/** Whether a list of entity tags names the version that is there (`undefined`: none is). */
function names(list: string, version: number | undefined): boolean {
  if (version === undefined) return false;
  return list.split(",").some((tag) => ["*", etagOf(version)].includes(tag.trim()));
}
