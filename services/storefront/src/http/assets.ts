import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { problem, Type, type App } from "@store/kit";

/** A file that browsers may keep for good: its path has a hash of its content in it. */
export interface Asset {
  readonly path: string;
  readonly type: string;
  readonly body: Buffer;
  readonly gzipped: Buffer;
}

const types: Record<string, string> = {
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

export const style = ours("style.css");
export const icon = ours("icon.svg");
/** Keeps an order's page up to date. */
export const orderScript = ours("order.js");
/** Makes Swagger UI of the document that the page names. */
export const docsScript = ours("docs.js");
export const swaggerStyle = load("swagger-ui.css", swagger("swagger-ui.css"));
export const swaggerScript = load("swagger-ui.js", swagger("swagger-ui-bundle.js"));

export function addAssets(app: App): void {
  const all = [style, icon, orderScript, docsScript, swaggerStyle, swaggerScript];
  const assets = new Map(all.map((asset) => [asset.path, asset]));
  app.get(
    "/assets/:file",
    {
      schema: {
        hide: true,
        params: Type.Object({ file: Type.String() }),
        response: { 200: Type.Unsafe<Buffer>({ type: "string" }) },
      },
    },
    async (request, reply) => {
      const asset = assets.get(`/assets/${request.params.file}`);
      if (asset === undefined) throw problem(404, "There is nothing at this address.");
      const small = /\bgzip\b/.test(request.headers["accept-encoding"] ?? "");
      if (small) reply.header("content-encoding", "gzip");
      return reply
        .header("cache-control", "public, max-age=31536000, immutable")
        .header("vary", "accept-encoding")
        .type(asset.type)
        .send(small ? asset.gzipped : asset.body);
    },
  );
}

function ours(name: string): Asset {
  return load(name, new URL(`../assets/${name}`, import.meta.url));
}

function swagger(name: string): URL {
  return new URL(import.meta.resolve(`swagger-ui-dist/${name}`));
}

function load(name: string, file: URL): Asset {
  const body = readFileSync(file);
  const hash = createHash("sha256").update(body).digest("hex").slice(0, 12);
  const [, stem = "", extension = ""] = /^(.*)\.(\w+)$/.exec(name) ?? [];
  return {
    path: `/assets/${stem}.${hash}.${extension}`,
    type: types[extension] ?? "application/octet-stream",
    body,
    gzipped: gzipSync(body),
  };
}
