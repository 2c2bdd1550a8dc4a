import { html, type Html } from "../../html/html.ts";
import type { Api } from "./apiList.ts";

export function apiListPage(apis: readonly Api[]): Html {
  return html`<div class="wrap narrow">
    <h1>API documentation</h1>
    <p class="lead">
      Everything this shop does is available through a public REST API with JSON. Errors are problem
      documents (RFC 9457).
    </p>
    <ul class="api-list">
      ${apis.map(
        ({ name, openapi }) =>
          html`<li>
            <h2><a href="/docs/${name}">${name}</a></h2>
            <p>
              <a href="/docs/${name}">Reference<span class="visually-hidden"> of ${name}</span></a>
              <a href="${openapi}"
                >OpenAPI document<span class="visually-hidden"> of ${name}</span></a
              >
            </p>
          </li>`,
      )}
    </ul>
    <h2>Conventions</h2>
    <ul>
      <li>
        <a href="/api">/api</a> returns this list as JSON (<a href="/api/openapi.json"
          >OpenAPI document</a
        >).
      </li>
      <li>Amounts of money are integers in the currency’s smallest unit: 2900 AUD is $29.00.</li>
      <li>
        Placing an order requires an <code>Idempotency-Key</code> header. If you don’t receive a
        response, repeat the request with the same key.
      </li>
      <li>
        Staff operations require the staff token in the header <code>Authorization: Bearer</code>.
      </li>
    </ul>
  </div>`;
}

export function apiPage({ name, openapi }: Api, apis: readonly Api[]): Html {
  return html`<div class="wrap">
      <nav class="crumbs" aria-label="Breadcrumb">
        <a href="/docs">API documentation</a> <span aria-hidden="true">/</span>
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
      <h1>API of ${name}</h1>
      <p>Generated from the <a href="${openapi}">OpenAPI document</a>.</p>
      <noscript
        ><p class="banner">
          Turn on JavaScript to read the reference and to try the API on this page.
        </p></noscript
      >
    </div>
    <h2 class="visually-hidden">Operations</h2>
    <div id="swagger" data-document="${openapi}"></div>`;
}
