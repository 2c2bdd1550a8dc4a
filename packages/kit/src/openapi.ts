import swagger from "@fastify/swagger";
import type { FastifyInstance } from "fastify";
import { ProblemDocument } from "./problems.ts";
import { STAFF_SCHEME } from "./staff.ts";

/** The prefix that the gateway never routes: for other services only, so no outside party is told of it. */
const INTERNAL = "/internal/";

interface OpenApiOptions {
  readonly name: string;
  readonly description: string;
  readonly version: string;
}

/**
 * Publishes the OpenAPI document that the routes' schemas make: whole at /openapi.json for the other services, and without
 * what is internal at /api/NAME/openapi.json for everybody.
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
            description: "For the store's own people. `./store token` shows the token.",
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
    const problem = {
      description: "Problem",
      content: { "application/problem+json": { schema: { $ref: "Problem#" } } },
    };
    schema.response = {
      "4xx": problem,
      "5xx": problem,
      ...(schema.response as object | undefined),
    };
  });
  app.get("/openapi.json", { schema: { hide: true } }, () => app.swagger());
  app.get(`/api/${name}/openapi.json`, { schema: { hide: true } }, () => {
    const { paths, ...document } = app.swagger();
    const open = Object.entries(paths ?? {}).filter(([path]) => !path.startsWith(INTERNAL));
    return { ...document, paths: Object.fromEntries(open) };
  });
}
