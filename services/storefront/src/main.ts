import cookie from "@fastify/cookie";
import { start } from "@store/kit";
import manifest from "../package.json" with { type: "json" };
import { addAssets } from "./assets.ts";
import { addBasketPages } from "./basketPages.ts";
import { addCataloguePages } from "./catalogue.ts";
import { addCheckoutPages } from "./checkout.ts";
import { addDocsPages } from "./docs.ts";
import { acceptForms } from "./forms.ts";
import { gatewayClients } from "./gateway.ts";
import { addOffice } from "./office/office.ts";
import { addOrderPages } from "./orderPages.ts";
import { renderProblemPage } from "./problemPage.ts";
import { addSecurityHeaders } from "./security.ts";

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
    addBasketPages(app, gateway);
    addCheckoutPages(app, gateway);
    addOrderPages(app, gateway);
    addDocsPages(app, service);
    addOffice(app, gateway);
  },
  { renderProblem: renderProblemPage },
);
