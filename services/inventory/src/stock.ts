import {
  problem,
  Sku,
  staffName,
  Type,
  withHeaders,
  type App,
  type Problem,
  type Reply,
  type Service,
} from "@store/kit";
import type { Catalogue, VersionedProduct } from "./catalogue.ts";
import { PageQuery, ProductChange, ProductEdit, StockedProduct, StockPage } from "./schemas.ts";

const security = [{ staff: [] }];
const tags = ["stock"];
const etag = { etag: "The product's version, for the if-match header of an edit." };

/** Adds the staff routes that show and change products and their stock. No cache may store the responses. */
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
        summary: "Lists products with their stock and the quantity held for orders",
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
        summary: "Returns a product with its stock and the quantity held for orders",
        description:
          "The etag header is for the if-match header of an edit. It changes with each edit and sale, but not with holds.",
        tags,
        security,
        params: Type.Object({ sku: Sku }),
        response: { 200: withHeaders(StockedProduct, etag) },
      },
    },
    async ({ params: { sku } }, reply) => answer(await catalogue.find(sku), reply),
  );

  app.get(
    "/api/inventory/stock/:sku/changes",
    {
      onRequest: staff,
      schema: {
        operationId: "listProductChanges",
        summary: "Lists the latest changes of a product by staff, newest first",
        tags,
        security,
        params: Type.Object({ sku: Sku }),
        response: { 200: Type.Object({ items: Type.Array(ProductChange) }) },
      },
    },
    async ({ params: { sku } }, reply) => {
      reply.header("cache-control", "no-store");
      return { items: await catalogue.changes(sku) };
    },
  );

  app.put(
    "/api/inventory/products/:sku",
    {
      onRequest: staff,
      schema: {
        operationId: "putProduct",
        summary: "Adds a product, or replaces it and its stock",
        description:
          "With if-match, only if the product still has that etag; with if-none-match: *, only if it doesn't exist. Otherwise 412. " +
          "428 if the product exists and the request has neither header: its stock may have been sold since you read it. " +
          "409 with the type urn:store:problem:stock-held if onHand is less than the quantity held for orders.",
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
    async (request, reply) => {
      const { headers, body } = request;
      const { sku } = request.params;
      const ifMatch = headers["if-match"];
      const ifNoneMatch = headers["if-none-match"];
      const allows = (version: number | undefined) => {
        if (version !== undefined && ifMatch === undefined && ifNoneMatch === undefined)
          throw conditionRequired(sku);
        return (
          (ifMatch === undefined || matchesVersion(ifMatch, version)) &&
          (ifNoneMatch === undefined || !matchesVersion(ifNoneMatch, version))
        );
      };
      const staff = staffName(request);
      const { added, ...stored } = await catalogue.put(sku, { edit: body, staff, allows });
      if (added) reply.code(201).header("location", `/api/inventory/products/${sku}`);
      return answer(stored, reply);
    },
  );
}

function conditionRequired(sku: string): Problem {
  return problem(
    428,
    `${sku} exists. Send its etag as if-match, so that a sale or another edit since then isn't overwritten; if-match: * replaces it in any case.`,
    { type: "precondition-required" },
  );
}

function answer({ product, version }: VersionedProduct, reply: Reply): StockedProduct {
  reply.headers({ etag: etagOf(version), "cache-control": "no-store" });
  return product;
}

function etagOf(version: number): string {
  return `"${version}"`;
}

/** Returns true if a list of entity tags contains the current version (`undefined` if there is no such product). */
function matchesVersion(list: string, version: number | undefined): boolean {
  if (version === undefined) return false;
  return list.split(",").some((tag) => ["*", etagOf(version)].includes(tag.trim()));
}
