import { forwardCorrelationHeaders, problem, Type, type App } from "@store/kit";
import { findProduct, type Gateway, type ProductPage } from "../../gateway/gateway.ts";
import { sendPage, SHOP } from "../../html/layout.ts";
import { cataloguePage } from "./cataloguePage.ts";
import { productPage } from "./productPage.ts";

const PAGE_SIZE = 12;

/** Adds the catalogue, with its search, and the page of each product. */
export function addCataloguePages(app: App, gateway: Gateway): void {
  app.get(
    "/",
    {
      schema: {
        hide: true,
        querystring: Type.Object({
          after: Type.Optional(Type.String({ maxLength: 100 })),
          q: Type.Optional(Type.String({ maxLength: 100 })),
        }),
        response: { 200: Type.String() },
      },
    },
    async (request, reply) => {
      const after = request.query.after;
      const q = request.query.q?.trim() || undefined;
      const { data, response } = await gateway.inventory.GET("/api/inventory/products", {
        params: { query: { limit: PAGE_SIZE, after, q } },
        headers: forwardCorrelationHeaders(request),
      });
      // Inventory rejects search words that can't occur in a product, such as control characters.
      const noResults = q !== undefined && response.status === 400 ? EMPTY_PAGE : undefined;
      const page = data ?? noResults;
      if (page === undefined) throw problem(404, "There is no such page of the catalogue.");
      return sendPage(reply, {
        title: q === undefined ? `${SHOP} – well-made goods for the home` : `“${q}” – ${SHOP}`,
        query: q,
        current: "/",
        hidden: q !== undefined,
        main: cataloguePage(page, { q, isFirst: after === undefined }),
      });
    },
  );

  app.get(
    "/products/:sku",
    {
      schema: {
        hide: true,
        params: Type.Object({ sku: Type.String() }),
        response: { 200: Type.String() },
      },
    },
    async (request, reply) => {
      const product = await findProduct(gateway, request, request.params.sku);
      if (product === undefined) throw problem(404, "There is no such product.");
      return sendPage(reply, {
        title: `${product.name} – ${SHOP}`,
        description: product.description,
        main: productPage(product),
      });
    },
  );
}

const EMPTY_PAGE: ProductPage = { items: [], next: null };
