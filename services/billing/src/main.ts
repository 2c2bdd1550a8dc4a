import { start } from "@store/kit";
import manifest from "../package.json" with { type: "json" };
import { addPaymentRoutes } from "./payments.ts";

await start(manifest, ({ app, database }) => {
  addPaymentRoutes(app, database({ migrations: new URL("migrations/", import.meta.url) }));
});
