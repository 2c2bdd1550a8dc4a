import swagger from "@fastify/swagger";
import type { FastifyInstance } from "fastify";
import type { TSchema } from "typebox";
import { ProblemDocument } from "../http/problems.ts";
import { STAFF_SCHEME } from "../http/staff.ts";

/** The prefix that the gateway never routes: for other services only, so no outside party is told of it. */
const INTERNAL = "/internal/";

/** What a header of an answer says, by its name in small letters. */
export type AnswerHeaders = Readonly<Record<string, string>>;

/** The schema of an answer whose headers, too, a caller may need: they are published with it. */
export function withHeaders<S extends TSchema>(schema: S, headers: AnswerHeaders): S {
  return { ...schema, headers: published(headers) };
}

function published(headers: AnswerHeaders): Record<string, object> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, description]) => [name, { type: "string", description }]),
  );
}

const REQUEST_ID = { "x-request-id": "The request's id, as in the logs." };
const RETRY_AFTER = "In how many seconds to try again.";

/** Headers of problems. Some are the gateway's, which stands before all of the services. */
const problemHeaders: Readonly<Record<"4xx" | "5xx", AnswerHeaders>> = {
  "4xx": {
    ...REQUEST_ID,
    allow: "With 405: the methods that are possible here.",
    "retry-after": `With 429: ${RETRY_AFTER.toLowerCase()}`,
    "www-authenticate": "With 401: how to say who you are.",
  },
  "5xx": { ...REQUEST_ID, "retry-after": `With 503 and 504: ${RETRY_AFTER.toLowerCase()}` },
};

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
    const problem = (kind: keyof typeof problemHeaders) => ({
      description: "Problem",
      headers: published(problemHeaders[kind]),
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
    const { paths, ...document } = app.swagger();
    const open = Object.entries(paths ?? {}).filter(([path]) => !path.startsWith(INTERNAL));
    return { ...document, paths: Object.fromEntries(open) };
  });
}
