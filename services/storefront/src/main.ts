import cookie from "@fastify/cookie";
import { integer, start } from "@store/kit";
import manifest from "../package.json" with { type: "json" };
import { gatewayClients } from "./gateway/gateway.ts";
import { addAssets } from "./http/assets.ts";
import { renderErrorPage } from "./http/errorPage.ts";
import { acceptForms } from "./http/forms.ts";
import { addSecurityHeaders } from "./http/security.ts";
import { addOffice } from "./office/office.ts";
import { addBasketPages } from "./pages/basket/basketRoutes.ts";
import { addCataloguePages } from "./pages/catalogue/catalogueRoutes.ts";
import { addCheckoutPages } from "./pages/checkout/checkoutRoutes.ts";
import { addDocsPages } from "./pages/docs/docsRoutes.ts";
import { addOrderPages } from "./pages/orders/orderRoutes.ts";

await start(
  manifest,
  async (service) => {
    const { app } = service;
    const gateway = gatewayClients(service);
    addSecurityHeaders(app);
    await app.register(cookie);
    await acceptForms(app);
    addAssets(app);
    addCataloguePages(app, gateway);
    const { ORDER_MAX_ITEMS: maxItems } = service.environment({
      // The same default as in orders.
      ORDER_MAX_ITEMS: integer(1, 1_000_000, 100),
    });
    addBasketPages(app, gateway, maxItems);
    addCheckoutPages(app, gateway);
    addOrderPages(app, gateway);
    addDocsPages(app, service);
    addOffice(app, gateway);
  },
  { renderProblem: renderErrorPage },
);
