import { passOn, problem, Type, type App } from "@store/kit";
import { MOST_OF_ONE } from "../basket/basket.ts";
import { findProduct, type Gateway, type Product, type ProductPage } from "../../gateway/gateway.ts";
import { html, type Html } from "../../html/html.ts";
import { sendPage, SHOP } from "../../html/layout.ts";
import { formatMoney } from "../../html/money.ts";

const PAGE_SIZE = 12;
/** From here down a customer is told how few are left. */
const FEW = 5;

export function addCataloguePages(app: App, gateway: Gateway): void {
  app.get(
    "/",
    {
      schema: {
        hide: true,
        querystring: Type.Object({
          after: Type.Optional(Type.String({ maxLength: 100 })),
          q: Type.Optional(Type.String({ maxLength: 100 })),
        }),
        response: { 200: Type.String() },
      },
    },
    async (request, reply) => {
      const after = request.query.after;
      const q = request.query.q?.trim() || undefined;
      const { data, response } = await gateway.inventory.GET("/api/inventory/products", {
        params: { query: { limit: PAGE_SIZE, after, q } },
        headers: passOn(request),
      });
      // Words that can't be searched for are found nowhere.
      const nothing = q !== undefined && response.status === 400 ? NOTHING : undefined;
      const page = data ?? nothing;
      if (page === undefined) throw problem(404, "There is no such page of the catalogue.");
      return sendPage(reply, {
        title: q === undefined ? `${SHOP} – well-made things for the home` : `“${q}” – ${SHOP}`,
        query: q,
        current: "/",
        hidden: q !== undefined,
        main: cataloguePage(page, { q, first: after === undefined }),
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
      const product = await findProduct(gateway, request, request.params.sku);
      if (product === undefined) throw problem(404, "We don't sell this.");
      return sendPage(reply, {
        title: `${product.name} – ${SHOP}`,
        description: product.description,
        main: productPage(product),
      });
    },
  );
}

const NOTHING: ProductPage = { items: [], next: null };

interface Shown {
  readonly q: string | undefined;
  readonly first: boolean;
}

function cataloguePage({ items, next }: ProductPage, { q, first }: Shown): Html {
  const query = q === undefined ? "" : `q=${encodeURIComponent(q)}&`;
  const start = q === undefined ? "/" : `/?q=${encodeURIComponent(q)}`;
  return html`${first && q === undefined ? hero(items) : undefined}
    <section class="wrap catalogue" aria-labelledby="catalogue">
      ${heading({ q, first })} ${items.length === 0 ? empty(q) : undefined}
      <ul class="grid">
        ${items.map((product, index) => card(product, index))}
      </ul>
      <nav class="pages" aria-label="Pages">
        ${first ? undefined : html`<a class="button quiet" href="${start}">Back to the start</a>`}
        ${next === null ? undefined : html`<a class="button" rel="next" href="/?${query}after=${encodeURIComponent(next)}">Show more</a>`}
        ${q === undefined ? undefined : html`<a class="button quiet" href="/">Show everything</a>`}
      </nav>
    </section>`;
}

function heading({ q, first }: Shown): Html {
  if (q !== undefined) return html`<h1 id="catalogue">Found for “${q}”</h1>`;
  // The first page's main heading is in its hero.
  return first
    ? html`<h2 id="catalogue">Everything we make room for</h2>`
    : html`<h1 id="catalogue">More from the shop</h1>`;
}

function empty(q: string | undefined): Html {
  return q === undefined
    ? html`<p class="lead">The shelves are empty. Please come back soon.</p>`
    : html`<p class="lead">
        Nothing of ours goes by that. Try fewer words, or another one: mug, lamp, linen.
      </p>`;
}

function hero(items: ProductPage["items"]): Html {
  const shown = items.filter(({ available }) => available > 0).slice(-3);
  return html`<section class="hero">
    <div class="wrap">
      <div>
        <p class="eyebrow">Stoneware · oak · linen</p>
        <h1>Made well, kept long.</h1>
        <p>Furniture, stoneware and linen from people who make one thing and make it properly.</p>
        <p><a class="button light" href="#catalogue">Look around</a></p>
      </div>
      <div class="hero-pictures" aria-hidden="true">
        ${shown.map(({ image }) => html`<img src="${image}" alt="" width="400" height="400" />`)}
      </div>
    </div>
  </section>`;
}

function card({ sku, name, image, price, available }: Product, index: number): Html {
  return html`<li class="card">
    <a href="/products/${sku}">
      <span class="picture">
        <img
          src="${image}"
          alt=""
          width="400"
          height="400"
          loading="${index < 4 ? "eager" : "lazy"}"
        />
      </span>
      <span class="card-text">
        <span class="name">${name}</span>
        <span class="price">${formatMoney(price)}</span>
        ${available > FEW ? undefined : stock(available)}
      </span>
    </a>
  </li>`;
}

function productPage(product: Product): Html {
  const { name, description, image, price, available, sku } = product;
  return html`<div class="wrap">
    <nav class="crumbs" aria-label="Breadcrumb">
      <a href="/">Shop</a> <span aria-hidden="true">/</span>
      <span aria-current="page">${name}</span>
    </nav>
    <article class="product">
      <div class="picture"><img src="${image}" alt="${name}" width="400" height="400" /></div>
      <div class="product-text">
        <h1>${name}</h1>
        <p class="price">${formatMoney(price)}</p>
        <p>${stock(available)}</p>
        <p class="description">${description}</p>
        ${available === 0 ? soldOut : buy(product)}
        <ul class="promises">
          <li>Delivery is included</li>
          <li>You pay once it is set aside for you</li>
        </ul>
        <p class="fine">Item ${sku}</p>
      </div>
    </article>
  </div>`;
}

function buy({ sku, available }: Product): Html {
  return html`<form class="buy" method="post" action="/basket/add">
    <input type="hidden" name="sku" value="${sku}" />
    <div class="field small">
      <label for="quantity">Quantity</label>
      <input
        id="quantity"
        name="quantity"
        type="number"
        inputmode="numeric"
        min="1"
        max="${Math.min(available, MOST_OF_ONE)}"
        value="1"
        required
      />
    </div>
    <button class="button">Add to basket</button>
  </form>`;
}

const soldOut = html`<p class="banner">
  This one is sold out for now. We are having more made; look in again in a few weeks.
</p>`;

function stock(available: number): Html {
  if (available === 0) return html`<span class="stock out">Sold out</span>`;
  if (available <= FEW) return html`<span class="stock few">Only ${available} left</span>`;
  return html`<span class="stock">In stock</span>`;
}
