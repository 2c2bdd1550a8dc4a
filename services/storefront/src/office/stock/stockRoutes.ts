import { Sku, Type, type App } from "@store/kit";
import type { Gateway } from "../../gateway/gateway.ts";
import { Fields } from "../../http/forms.ts";
import { sendOfficePage } from "../layout.ts";
import { requireData, staffHeaders } from "../session.ts";
import { countUnpacked } from "./unpacked.ts";
import { findChanges } from "./productChanges.ts";
import { toFields } from "./productEdit.ts";
import { sendProductForm } from "./productForm.ts";
import { findStockedProduct, saveProduct } from "./saveProduct.ts";
import { stockListPage } from "./stockListPage.ts";

const PATH = "/office/stock";
const PAGE_SIZE = 50;
const params = Type.Object({ sku: Sku });

/** Adds the stock list, and the forms that edit or create a product. */
export function addStock(app: App, gateway: Gateway): void {
  app.get(
    PATH,
    {
      schema: {
        hide: true,
        querystring: Type.Object({
          q: Type.Optional(Type.String({ maxLength: 100 })),
          after: Type.Optional(Sku),
          saved: Type.Optional(Sku),
        }),
      },
    },
    async (request, reply) => {
      const { after, saved } = request.query;
      const q = request.query.q?.trim() || undefined;
      const page = requireData(
        await gateway.inventory.GET("/api/inventory/stock", {
          params: { query: { limit: PAGE_SIZE, after, q } },
          headers: staffHeaders(request),
        }),
      );
      return sendOfficePage(reply, {
        title: "Stock",
        current: PATH,
        main: stockListPage(page, { q, saved }),
      });
    },
  );

  app.get("/office/new-product", { schema: { hide: true } }, async (request, reply) => {
    staffHeaders(request);
    return sendProductForm(reply, { fields: { currency: "AUD", onHand: "0" } });
  });

  app.post(
    "/office/new-product",
    { schema: { hide: true, body: Fields } },
    async (request, reply) => {
      const fields: Fields = request.body;
      const sku = (fields["sku"] ?? "").trim();
      return saveProduct(gateway, reply, { sku, fields, isNew: true });
    },
  );

  app.get("/office/stock/:sku", { schema: { hide: true, params } }, async (request, reply) => {
    const { product, etag } = await findStockedProduct(gateway, reply, request.params.sku);
    const [unpacked, changes] = await Promise.all([
      countUnpacked(gateway, reply, request.params.sku),
      findChanges(gateway, reply, request.params.sku),
    ]);
    const fields = { ...toFields(product, unpacked), etag };
    return sendProductForm(reply, { product, fields, changes });
  });

  app.post(
    "/office/stock/:sku",
    { schema: { hide: true, params, body: Fields } },
    async (request, reply) =>
      saveProduct(gateway, reply, { sku: request.params.sku, fields: request.body, isNew: false }),
  );
}
