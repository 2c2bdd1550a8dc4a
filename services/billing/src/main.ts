import { start } from "@store/kit";
import manifest from "../package.json" with { type: "json" };
import { addPaymentRoutes } from "./payments.ts";

await start(manifest, ({ app, database }) => {
  const payments = database({ migrations: new URL("migrations/", import.meta.url) });
  addPaymentRoutes(app, payments);
});
