import { start } from "@store/kit";
import manifest from "../package.json" with { type: "json" };

await start(manifest, () => {});
