import { passOn, problem, reader, Type, type App, type Request, type Service } from "@store/kit";
import type { paths as GatewayPaths } from "@store/contracts/public/gateway";
import { sendPage, SHOP } from "../../html/layout.ts";
import { docsScript, swaggerScript, swaggerStyle } from "../../http/assets.ts";
import { apiListPage, apiPage } from "./docsPages.ts";

/** Validates the gateway's list of the services that publish an API. */
const readApis = reader(
  Type.Object({
    services: Type.Array(
      Type.Object({
        name: Type.String({ pattern: "^[a-z][a-z0-9-]*$" }),
        // Same origin only: otherwise a page could present a foreign document as ours.
        openapi: Type.String({ pattern: "^/[^/\\\\]" }),
      }),
    ),
  }),
);

/** A service with a published API. */
export type Api = NonNullable<ReturnType<typeof readApis>>["services"][number];

/** Adds the API documentation. It is generated from the published OpenAPI documents, so a new service appears by itself. */
export function addDocsPages(app: App, { client }: Service): void {
  const gateway = client<GatewayPaths>("gateway");
  const listApis = async (request: Request) => {
    const { data } = await gateway.GET("/api", { headers: passOn(request) });
    const apis = readApis(data)?.services;
    if (apis === undefined) throw new Error("the gateway returned an invalid list of services");
    return apis;
  };

  app.get("/docs", { schema: { hide: true } }, async (request, reply) => {
    return sendPage(reply, {
      title: `API documentation – ${SHOP}`,
      main: apiListPage(await listApis(request)),
    });
  });

  app.get(
    "/docs/:name",
    { schema: { hide: true, params: Type.Object({ name: Type.String() }) } },
    async (request, reply) => {
      const apis = await listApis(request);
      const api = apis.find(({ name }) => name === request.params.name);
      if (api === undefined) throw problem(404, "No service with this name publishes an API.");
      return sendPage(reply, {
        title: `API of ${api.name} – ${SHOP}`,
        main: apiPage(api, apis),
        styles: [swaggerStyle],
        scripts: [swaggerScript, docsScript],
        // The style sheet of Swagger UI contains its icons as data URLs.
        policy: { "script-src": "'self'", "connect-src": "'self'", "img-src": "'self' data:" },
      });
    },
  );
}
