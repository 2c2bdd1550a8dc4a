import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { problem, Type, type App } from "@store/kit";

/** A static file. Its path contains a hash of its content, so browsers may cache it forever. */
export interface Asset {
  readonly path: string;
  readonly type: string;
  readonly body: Buffer;
  readonly gzipped: Buffer;
}

const contentTypes: Record<string, string> = {
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

/** The shop's style sheet: the files of assets/style, joined in the order of their names into one response. */
export const style = loadAsset("style.css", ...styleSheets());
export const icon = loadAsset("icon.svg", ownFile("icon.svg"));
/** Refreshes an order's page while its status may still change. */
export const orderScript = loadAsset("order.js", ownFile("order.js"));
/** Starts Swagger UI on a page of the API documentation. */
export const docsScript = loadAsset("docs.js", ownFile("docs.js"));
export const swaggerStyle = loadAsset("swagger-ui.css", swaggerFile("swagger-ui.css"));
export const swaggerScript = loadAsset("swagger-ui.js", swaggerFile("swagger-ui-bundle.js"));

/** Adds the route that serves all assets. */
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
      const acceptsGzip = /\bgzip\b/.test(request.headers["accept-encoding"] ?? "");
      if (acceptsGzip) reply.header("content-encoding", "gzip");
      return reply
        .header("cache-control", "public, max-age=31536000, immutable")
        .header("vary", "accept-encoding")
        .type(asset.type)
        .send(acceptsGzip ? asset.gzipped : asset.body);
    },
  );
}

function ownFile(name: string): URL {
  return new URL(`../assets/${name}`, import.meta.url);
}

function styleSheets(): URL[] {
  return readdirSync(ownFile("style"))
    .sort()
    .map((name) => ownFile(`style/${name}`));
}

function swaggerFile(name: string): URL {
  return new URL(import.meta.resolve(`swagger-ui-dist/${name}`));
}

/** Reads an asset that consists of one or several files. */
function loadAsset(name: string, ...files: readonly URL[]): Asset {
  const body = Buffer.concat(files.map((file) => readFileSync(file)));
  const hash = createHash("sha256").update(body).digest("hex").slice(0, 12);
  const [, stem = "", extension = ""] = /^(.*)\.(\w+)$/.exec(name) ?? [];
  return {
    path: `/assets/${stem}.${hash}.${extension}`,
    type: contentTypes[extension] ?? "application/octet-stream",
    body,
    gzipped: gzipSync(body),
  };
}
