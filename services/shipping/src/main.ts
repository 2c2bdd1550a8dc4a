import { start } from "@store/kit";
import manifest from "../package.json" with { type: "json" };
import { addShipmentRoutes } from "./shipmentRoutes.ts";
import { Shipments } from "./shipments.ts";
import { addStaffRoutes } from "./staffRoutes.ts";

await start(manifest, ({ app, database, staff }) => {
  const shipments = new Shipments(
    database({ migrations: new URL("migrations/", import.meta.url) }),
  );
  addStaffRoutes(app, shipments, staff());
  addShipmentRoutes(app, shipments);
});
