import { start } from "@store/kit";
import manifest from "../package.json" with { type: "json" };
import { addAssets } from "./assets.ts";
import { addCataloguePages } from "./catalogue.ts";
import type { paths as InventoryPaths } from "./clients/inventory.ts";
import { renderProblemPage } from "./problemPage.ts";
import { addSecurityHeaders } from "./security.ts";

await start(
  manifest,
  ({ app, client }) => {
    addSecurityHeaders(app);
    addAssets(app);
    addCataloguePages(app, client<InventoryPaths>("gateway"));
  },
  { renderProblem: renderProblemPage },
);
