import { passOn, problem, reader, Type, type App, type Request, type Service } from "@store/kit";
import { docsScript, swaggerScript, swaggerStyle } from "../../http/assets.ts";
import type { paths as GatewayPaths } from "@store/contracts/public/gateway";
import { html, type Html } from "../../html/html.ts";
import { sendPage, SHOP } from "../../html/layout.ts";

/** The gateway's own list of the services that publish an interface. */
const readApis = reader(
  Type.Object({
    services: Type.Array(
      Type.Object({
        name: Type.String({ pattern: "^[a-z][a-z0-9-]*$" }),
        // Only of our own origin, or a page would be a way to show anybody's document as ours.
        openapi: Type.String({ pattern: "^/[^/\\\\]" }),
      }),
    ),
  }),
);
type Api = NonNullable<ReturnType<typeof readApis>>["services"][number];

/** Documentation for people, made of the documents that the services publish: one that is added shows up by itself. */
export function addDocsPages(app: App, { client }: Service): void {
  const gateway = client<GatewayPaths>("gateway");
  const listApis = async (request: Request) => {
    const { data } = await gateway.GET("/api", { headers: passOn(request) });
    const apis = readApis(data)?.services;
    if (apis === undefined) throw new Error("the gateway's list of services can't be read");
    return apis;
  };

  app.get("/docs", { schema: { hide: true } }, async (request, reply) => {
    return sendPage(reply, {
      title: `Our interface – ${SHOP}`,
      main: overview(await listApis(request)),
    });
  });

  app.get(
    "/docs/:name",
    { schema: { hide: true, params: Type.Object({ name: Type.String() }) } },
    async (request, reply) => {
      const apis = await listApis(request);
      const api = apis.find(({ name }) => name === request.params.name);
      if (api === undefined) throw problem(404, "No service of this name publishes an interface.");
      return sendPage(reply, {
        title: `The interface of ${api.name} – ${SHOP}`,
        main: reference(api, apis),
        styles: [swaggerStyle],
        scripts: [swaggerScript, docsScript],
        // Swagger UI has its icons in its style sheet.
        policy: { "script-src": "'self'", "connect-src": "'self'", "img-src": "'self' data:" },
      });
    },
  );
}

function overview(apis: readonly Api[]): Html {
  return html`<div class="wrap narrow">
    <h1>Our interface</h1>
    <p class="lead">
      Everything that this shop does goes through public interfaces: REST and JSON, problem
      documents (RFC 9457) for errors. Build on them what you like.
    </p>
    <ul class="api-list">
      ${apis.map(
        ({ name, openapi }) =>
          html`<li>
            <h2><a href="/docs/${name}">${name}</a></h2>
            <p>
              <a href="/docs/${name}">Read and try<span class="visually-hidden"> ${name}</span></a>
              <a href="${openapi}"
                >OpenAPI document<span class="visually-hidden"> of ${name}</span></a
              >
            </p>
          </li>`,
      )}
    </ul>
    <h2>Good to know</h2>
    <ul>
      <li>
        This list, for programs: <a href="/api">/api</a>, as
        <a href="/api/openapi.json">its own document</a> describes it.
      </li>
      <li>
        Amounts of money are whole numbers of the currency’s smallest unit: 2900 AUD is $29.00.
      </li>
      <li>
        An order is placed with an <code>Idempotency-Key</code>: send it again with the same key
        whenever you don’t know whether it arrived.
      </li>
      <li>
        What is for the store’s own people needs <code>Authorization: Bearer</code> with their
        token.
      </li>
    </ul>
  </div>`;
}

function reference({ name, openapi }: Api, apis: readonly Api[]): Html {
  return html`<div class="wrap">
      <nav class="crumbs" aria-label="Breadcrumb">
        <a href="/docs">Our interface</a> <span aria-hidden="true">/</span>
        <span aria-current="page">${name}</span>
      </nav>
      <nav class="tabs" aria-label="Services">
        ${apis.map(
          (api) =>
            html`<a
              href="/docs/${api.name}"
              ${api.name === name ? html`aria-current="page"` : undefined}
              >${api.name}</a
            >`,
        )}
      </nav>
      <h1>The interface of ${name}</h1>
      <p>Its <a href="${openapi}">OpenAPI document</a> is what this page is made of.</p>
      <noscript
        ><p class="banner">
          With scripts turned on, this page lays the document out and lets you try it.
        </p></noscript
      >
    </div>
    <h2 class="visually-hidden">What can be asked for</h2>
    <div id="swagger" data-document="${openapi}"></div>`;
}
