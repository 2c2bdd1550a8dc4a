import { start } from "@store/kit";
import manifest from "../package.json" with { type: "json" };
import type { paths as InventoryPaths } from "./clients/inventory.ts";
import { addOrderRoutes } from "./routes.ts";
import { OrderStore } from "./store.ts";

await start(manifest, ({ app, database, client }) => {
  const orders = new OrderStore(database({ migrations: new URL("migrations/", import.meta.url) }));
  addOrderRoutes(app, orders, client<InventoryPaths>("inventory"));
});
