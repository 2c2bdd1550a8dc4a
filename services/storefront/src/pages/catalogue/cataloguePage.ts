import type { Product, ProductPage } from "../../gateway/gateway.ts";
import { html, type Html } from "../../html/html.ts";
import { formatMoney } from "../../html/money.ts";
import { isLowStock, stockLabel } from "./stockLabel.ts";

interface View {
  /** Search words; `undefined` for the whole catalogue. */
  readonly q: string | undefined;
  readonly isFirst: boolean;
}

export function cataloguePage({ items, next }: ProductPage, { q, isFirst }: View): Html {
  const query = q === undefined ? "" : `q=${encodeURIComponent(q)}&`;
  const firstPage = q === undefined ? "/" : `/?q=${encodeURIComponent(q)}`;
  return html`${isFirst && q === undefined ? hero(items) : undefined}
    <section class="wrap catalogue" aria-labelledby="catalogue">
      ${heading({ q, isFirst })} ${items.length === 0 ? emptyText(q) : undefined}
      <ul class="grid">
        ${items.map((product, index) => card(product, index))}
      </ul>
      <nav class="pages" aria-label="Pages">
        ${isFirst ? undefined : html`<a class="button quiet" href="${firstPage}">Back to first page</a>`}
        ${next === null ? undefined : html`<a class="button" rel="next" href="/?${query}after=${encodeURIComponent(next)}">Next page</a>`}
        ${q === undefined ? undefined : html`<a class="button quiet" href="/">Show all products</a>`}
      </nav>
    </section>`;
}

function heading({ q, isFirst }: View): Html {
  if (q !== undefined) return html`<h1 id="catalogue">Results for “${q}”</h1>`;
  // The first page has its h1 in the hero.
  return isFirst
    ? html`<h2 id="catalogue">All products</h2>`
    : html`<h1 id="catalogue">More products</h1>`;
}

function emptyText(q: string | undefined): Html {
  return q === undefined
    ? html`<p class="lead">There are no products yet. Please check back soon.</p>`
    : html`<p class="lead">
        No products match your search. Try fewer or different words, such as mug, lamp or linen.
      </p>`;
}

function hero(items: ProductPage["items"]): Html {
  const shown = items.filter(({ available }) => available > 0).slice(-3);
  return html`<section class="hero">
    <div class="wrap">
      <div>
        <p class="eyebrow">Stoneware · oak · linen</p>
        <h1>Made well. Made to last.</h1>
        <p>Furniture, stoneware and linen from small workshops that take their time.</p>
        <p><a class="button light" href="#catalogue">Shop now</a></p>
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
        ${isLowStock(available) ? stockLabel(available) : undefined}
      </span>
    </a>
  </li>`;
}
