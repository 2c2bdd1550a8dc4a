import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { problem, Type, withHeaders, type App } from "@store/kit";

const etag = { etag: "The picture's version, for the if-none-match header." };
const folder = new URL("images/", import.meta.url);

/** Adds the route of the product pictures. They are served from memory, because they are few and small. */
export async function addImageRoutes(app: App): Promise<void> {
  const images = new Map(
    await Promise.all(
      (await readdir(folder)).map(async (file) => {
        const body = await readFile(new URL(file, folder));
        const hash = createHash("sha256").update(body).digest("base64url").slice(0, 22);
        return [file, { body, etag: `"${hash}"` }] as const;
      }),
    ),
  );

  app.get(
    "/api/inventory/images/:file",
    {
      schema: {
        operationId: "getImage",
        summary: "Returns the picture of a product",
        params: Type.Object({ file: Type.String({ maxLength: 60 }) }),
        response: {
          200: withHeaders(
            {
              description: "The picture",
              content: { "image/svg+xml": { schema: Type.Unsafe<Buffer>({ type: "string" }) } },
            },
            etag,
          ),
          304: withHeaders(Type.Null({ description: "The caller's picture is current" }), etag),
        },
      },
    },
    async ({ params: { file }, headers }, reply) => {
      const image = images.get(file);
      if (image === undefined) throw problem(404, `There is no picture ${JSON.stringify(file)}.`);
      reply.headers({
        "cache-control": "public, max-age=3600, stale-while-revalidate=86400",
        etag: image.etag,
        // An SVG opened as a page is a document: forbid everything but drawing.
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        "x-content-type-options": "nosniff",
      });
      if (headers["if-none-match"]?.includes(image.etag)) return reply.code(304).send(null);
      return reply.type("image/svg+xml").send(image.body);
    },
  );
}
