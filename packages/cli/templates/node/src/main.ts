import { start } from "@store/kit";
import manifest from "../package.json" with { type: "json" };
import { addItemRoutes } from "./itemRoutes.ts";

await start(manifest, ({ app, database }) => {
  addItemRoutes(app, database({ migrations: new URL("migrations/", import.meta.url) }));
});
