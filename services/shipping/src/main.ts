import { start } from "@store/kit";
import manifest from "../package.json" with { type: "json" };
import { addShipmentRoutes } from "./shipments.ts";

await start(manifest, ({ app, database }) => {
  const shipments = database({ migrations: new URL("migrations/", import.meta.url) });
  addShipmentRoutes(app, shipments);
});
