import { passOn, problem, Type, type App, type Client } from "@store/kit";
import type { operations, paths } from "./clients/inventory.ts";
import { html, type Html } from "./html.ts";
import { sendPage, SHOP } from "./layout.ts";
import { formatMoney } from "./money.ts";

type Product = operations["getProduct"]["responses"][200]["content"]["application/json"];
type ProductPage = operations["listProducts"]["responses"][200]["content"]["application/json"];

const PAGE_SIZE = 12;
/** From here down a customer is told how few are left. */
const FEW = 5;

export function addCataloguePages(app: App, inventory: Client<paths>): void {
  app.get(
    "/",
    {
      schema: {
        hide: true,
        querystring: Type.Object({ after: Type.Optional(Type.String({ maxLength: 100 })) }),
        response: { 200: Type.String() },
      },
    },
    async (request, reply) => {
      const { after } = request.query;
      const { data } = await inventory.GET("/api/inventory/products", {
        params: { query: { limit: PAGE_SIZE, ...(after === undefined ? {} : { after }) } },
        headers: passOn(request),
      });
      if (data === undefined) throw problem(404, "There is no such page of the catalogue.");
      return sendPage(reply, {
        title: `${SHOP} – well-made things for the home`,
        main: cataloguePage(data, after === undefined),
      });
    },
  );

  app.get(
    "/products/:sku",
    {
      schema: {
        hide: true,
        params: Type.Object({ sku: Type.String() }),
        response: { 200: Type.String() },
      },
    },
    async (request, reply) => {
      const { data } = await inventory.GET("/api/inventory/products/{sku}", {
        params: { path: { sku: request.params.sku } },
        headers: passOn(request),
      });
      if (data === undefined) throw problem(404, "We don't sell this.");
      return sendPage(reply, {
        title: `${data.name} – ${SHOP}`,
        description: data.description,
        main: productPage(data),
      });
    },
  );
}

function cataloguePage({ items, next }: ProductPage, first: boolean): Html {
  return html`${first ? hero : undefined}
    <section class="wrap" aria-labelledby="catalogue">
      <h2 id="catalogue">${first ? "Everything we make room for" : "More from the shop"}</h2>
      ${items.length === 0 ? html`<p class="empty">The shelves are empty. Please come back soon.</p>` : undefined}
      <ul class="grid">
        ${items.map((product, index) => card(product, index))}
      </ul>
      <nav class="pages" aria-label="Pages">
        ${first ? undefined : html`<a class="button quiet" href="/">Back to the start</a>`}
        ${next === null ? undefined : html`<a class="button" rel="next" href="/?after=${encodeURIComponent(next)}">Show more</a>`}
      </nav>
    </section>`;
}

const hero = html`<section class="hero">
  <div class="wrap">
    <h1>Made well, kept long.</h1>
    <p>Furniture, stoneware and linen from people who make one thing and make it properly.</p>
  </div>
</section>`;

function card({ sku, name, image, price, available }: Product, index: number): Html {
  return html`<li class="card">
    <a href="/products/${sku}">
      <img
        src="${image}"
        alt=""
        width="400"
        height="400"
        loading="${index < 4 ? "eager" : "lazy"}"
      />
      <span class="card-text">
        <span class="name">${name}</span>
        <span class="price">${formatMoney(price)}</span>
        ${available > FEW ? undefined : stock(available)}
      </span>
    </a>
  </li>`;
}

function productPage({ sku, name, description, image, price, available }: Product): Html {
  return html`<div class="wrap">
    <nav class="crumbs" aria-label="Breadcrumb">
      <a href="/">Shop</a> <span aria-hidden="true">/</span>
      <span aria-current="page">${name}</span>
    </nav>
    <article class="product">
      <img src="${image}" alt="${name}" width="400" height="400" />
      <div>
        <h1>${name}</h1>
        <p class="price">${formatMoney(price)}</p>
        <p>${stock(available)}</p>
        <p class="description">${description}</p>
        <p class="fine">Item ${sku}</p>
      </div>
    </article>
  </div>`;
}

function stock(available: number): Html {
  if (available === 0) return html`<span class="stock out">Sold out</span>`;
  if (available <= FEW) return html`<span class="stock few">Only ${available} left</span>`;
  return html`<span class="stock">In stock</span>`;
}
