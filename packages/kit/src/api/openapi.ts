import swagger from "@fastify/swagger";
import type { FastifyInstance } from "fastify";
import type { TSchema } from "typebox";
import { CALLER_SCHEME } from "../http/callers.ts";
import { INTERNAL } from "../http/internalPaths.ts";
import { ProblemDocument } from "../http/problems.ts";
import { STAFF_SCHEME } from "../http/staff.ts";

/** Descriptions of response headers, by the header's name in lower case. */
export type HeaderDescriptions = Readonly<Record<string, string>>;

/** Adds response headers to a response schema, so that they appear in the OpenAPI document. */
export function withHeaders<S extends TSchema>(schema: S, headers: HeaderDescriptions): S {
  return { ...schema, headers: toHeaderSchemas(headers) };
}

function toHeaderSchemas(headers: HeaderDescriptions): Record<string, object> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, description]) => [name, { type: "string", description }]),
  );
}

const REQUEST_ID = { "x-request-id": "The id of the request, as in the logs." };
const RETRY_AFTER = "Seconds to wait before a retry.";

/** Headers of problem responses. The gateway adds some of them. */
const problemHeaders: Readonly<Record<"4xx" | "5xx", HeaderDescriptions>> = {
  "4xx": {
    ...REQUEST_ID,
    allow: "With 405: the allowed methods.",
    "retry-after": `With 429: ${RETRY_AFTER.toLowerCase()}`,
    "www-authenticate": "With 401: the authentication scheme.",
  },
  "5xx": { ...REQUEST_ID, "retry-after": `With 503 and 504: ${RETRY_AFTER.toLowerCase()}` },
};

interface PublishedDocument {
  readonly paths?: Readonly<Record<string, object>>;
  readonly components?: { readonly securitySchemes?: Readonly<Record<string, object>> };
}

interface OpenApiOptions {
  readonly name: string;
  readonly description: string;
  readonly version: string;
}

/**
 * Publishes the OpenAPI document generated from the routes' schemas: the complete one at /openapi.json for other services, and one
 * without internal routes at /api/NAME/openapi.json for everybody.
 */
export async function addOpenApi(app: FastifyInstance, options: OpenApiOptions): Promise<void> {
  const { name, description, version } = options;
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: { title: `The store's ${name}`, description, version },
      servers: [{ url: "/" }],
      components: {
        securitySchemes: {
          [STAFF_SCHEME]: {
            type: "http",
            scheme: "bearer",
            description: "For staff only. `./store token` shows the token.",
          },
          [CALLER_SCHEME]: {
            type: "http",
            scheme: "bearer",
            description:
              "For services that depend on this one. The token is in the file that NAME_TOKEN_FILE names.",
          },
        },
      },
    },
    refResolver: {
      buildLocalReference: (schema, _base, _fragment, index) =>
        typeof schema.$id === "string" ? schema.$id : `def-${index}`,
    },
  });
  app.addSchema(ProblemDocument);
  app.addHook("onRoute", ({ schema }) => {
    if (schema === undefined || Reflect.get(schema, "hide") === true) return;
    const problem = (kind: keyof typeof problemHeaders) => ({
      description: "Problem",
      headers: toHeaderSchemas(problemHeaders[kind]),
      content: { "application/problem+json": { schema: { $ref: "Problem#" } } },
    });
    schema.response = {
      "4xx": problem("4xx"),
      "5xx": problem("5xx"),
      ...(schema.response as object | undefined),
    };
  });
  app.get("/openapi.json", { schema: { hide: true } }, () => app.swagger());
  app.get(`/api/${name}/openapi.json`, { schema: { hide: true } }, () => {
    const { paths, components, ...document } = app.swagger() as PublishedDocument;
    const { [CALLER_SCHEME]: _, ...securitySchemes } = components?.securitySchemes ?? {};
    const publicPaths = Object.entries(paths ?? {}).filter(([path]) => !path.startsWith(INTERNAL));
    return {
      ...document,
      components: { ...components, securitySchemes },
      paths: Object.fromEntries(publicPaths),
    };
  });
}
