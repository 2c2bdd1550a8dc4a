import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { problem, Type, type App } from "@store/kit";

const types = { "style.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml" };

interface Asset {
  readonly body: Buffer;
  readonly type: string;
  /** Has a hash of the content in it, so that browsers may keep it for good. */
  readonly path: string;
}

export const style = load("style.css");
export const icon = load("icon.svg");

export function addAssets(app: App): void {
  const assets = new Map([style, icon].map((asset) => [asset.path, asset]));
  app.get(
    "/assets/:file",
    {
      schema: {
        hide: true,
        params: Type.Object({ file: Type.String() }),
        response: { 200: Type.Unsafe<Buffer>({ type: "string" }) },
      },
    },
    async ({ params: { file } }, reply) => {
      const asset = assets.get(`/assets/${file}`);
      if (asset === undefined) throw problem(404, "There is nothing at this address.");
      return reply
        .header("cache-control", "public, max-age=31536000, immutable")
        .type(asset.type)
        .send(asset.body);
    },
  );
}

function load(name: keyof typeof types): Asset {
  const body = readFileSync(new URL(`assets/${name}`, import.meta.url));
  const hash = createHash("sha256").update(body).digest("hex").slice(0, 12);
  return { body, type: types[name], path: `/assets/${name.replace(".", `.${hash}.`)}` };
}
