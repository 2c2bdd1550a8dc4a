import { flag, start } from "@store/kit";
import manifest from "../package.json" with { type: "json" };
import { seedDemoCatalogue } from "./demo.ts";
import { addImageRoutes } from "./images.ts";
import { addProductRoutes } from "./products.ts";

await start(manifest, async ({ app, log, database, environment }) => {
  const { DEMO_DATA } = environment({ DEMO_DATA: flag(false) });
  const products = database({
    migrations: new URL("migrations/", import.meta.url),
    prepare: async (prepared) => {
      if (DEMO_DATA) await seedDemoCatalogue(prepared, log);
    },
  });
  addProductRoutes(app, products);
  await addImageRoutes(app);
});
