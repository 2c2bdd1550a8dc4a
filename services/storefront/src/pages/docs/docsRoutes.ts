import {
  forwardCorrelationHeaders,
  problem,
  Type,
  type App,
  type Request,
  type Service,
} from "@store/kit";
import type { paths as GatewayPaths } from "@store/contracts/public/gateway";
import { sendPage, SHOP } from "../../html/layout.ts";
import { docsScript, swaggerScript, swaggerStyle } from "../../http/assets.ts";
import { parseApiList } from "./apiList.ts";
import { apiListPage, apiPage } from "./docsPages.ts";

/** Adds the API documentation. It is generated from the published OpenAPI documents, so a new service appears by itself. */
export function addDocsPages(app: App, { client }: Service): void {
  const gateway = client<GatewayPaths>("gateway");
  const listApis = async (request: Request) => {
    const { data } = await gateway.GET("/api", { headers: forwardCorrelationHeaders(request) });
    return parseApiList(data);
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
