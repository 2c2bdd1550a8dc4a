import type { Reply } from "@store/kit";
import { icon, style, type Asset } from "../http/assets.ts";
import { relaxPolicy } from "../http/security.ts";
import { countItems, readBasket } from "../pages/basket/basket.ts";
import { html, type Html } from "./html.ts";
import { basketIcon, searchIcon } from "./icons.ts";

/** Name of the shop. */
export const SHOP = "Tern & Timber";

interface Page {
  readonly title: string;
  /** Description for search engines. Defaults to the shop's. */
  readonly description?: string;
  readonly main: Html;
  /** Search words to show in the search field. */
  readonly query?: string;
  /** Path of the navigation link to mark as the current page. */
  readonly current?: string;
  /** Scripts of this page. The page's {@link policy} must allow them. @default none */
  readonly scripts?: readonly Asset[];
  /** Style sheets in addition to the shop's own. @default none */
  readonly styles?: readonly Asset[];
  /** Directives that override the default content security policy. */
  readonly policy?: Readonly<Record<string, string>>;
  /** Reload interval in seconds, for browsers without JavaScript. @default no reload */
  readonly refreshSeconds?: number;
  /** Excludes the page from search engines. @default false */
  readonly hidden?: boolean;
}

/** Sends a page of the shop. */
export function sendPage(reply: Reply, page: Page): Reply {
  return sendHtml(reply, { ...page, header: header(reply, page), footer });
}

interface WholePage extends Page {
  readonly header: Html;
  readonly footer: Html;
}

/** Sends a page with a header and a footer of its own. */
export function sendHtml(reply: Reply, page: WholePage): Reply {
  if (page.policy !== undefined) relaxPolicy(reply, page.policy);
  // Stock, prices and the basket change, so browsers must revalidate a cached page before they show it again.
  if (!reply.hasHeader("cache-control")) reply.header("cache-control", "private, no-cache");
  return reply.type("text/html; charset=utf-8").send(document(page).markup);
}

function document(page: WholePage): Html {
  const { title, description, main, refreshSeconds, scripts = [], styles = [] } = page;
  return html`<!doctype html>
    <html lang="en-AU">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <meta name="description" content="${description ?? "Well-made goods for the home."}" />
        <meta name="theme-color" media="(prefers-color-scheme: light)" content="#fffdf9" />
        <meta name="theme-color" media="(prefers-color-scheme: dark)" content="#1a2321" />
        ${page.hidden === true ? html`<meta name="robots" content="noindex" />` : undefined}
        ${
          refreshSeconds === undefined
            ? undefined
            : html`<noscript><meta http-equiv="refresh" content="${refreshSeconds}" /></noscript>`
        }
        <link rel="icon" href="${icon.path}" type="image/svg+xml" />
        ${[...styles, style].map(({ path }) => html`<link rel="stylesheet" href="${path}" />`)}
        ${scripts.map(({ path }) => html`<script src="${path}" defer></script>`)}
      </head>
      <body>
        <a class="skip" href="#main">Skip to content</a>
        ${page.header}
        <main id="main" tabindex="-1">${main}</main>
        ${page.footer}
      </body>
    </html>`;
}

function header(reply: Reply, { query, current }: Page): Html {
  const count = countItems(readBasket(reply.request));
  const markCurrent = (path: string) => (path === current ? html`aria-current="page"` : undefined);
  return html`<header class="site-header">
    <div class="wrap">
      <a class="brand" href="/">
        <img src="${icon.path}" alt="" width="32" height="32" />
        <span>${SHOP}</span>
      </a>
      <form class="search" role="search" action="/" method="get">
        <label class="visually-hidden" for="q">Search products</label>
        <input
          id="q"
          name="q"
          type="search"
          placeholder="Search products"
          maxlength="100"
          value="${query}"
        />
        <button class="icon-button" aria-label="Search">${searchIcon}</button>
      </form>
      <nav aria-label="Main">
        <a href="/" ${markCurrent("/")}>Shop</a>
        <a href="/orders" ${markCurrent("/orders")}>Orders</a>
        <a class="to-basket" href="/basket" ${markCurrent("/basket")}>
          ${basketIcon}<span class="label">Basket</span>${
            count === 0
              ? undefined
              : html` <span class="count"
                  >${count}<span class="visually-hidden">
                    ${count === 1 ? "item" : "items"}</span
                  ></span
                >`
          }
        </a>
      </nav>
    </div>
  </header>`;
}

const footer = html`<footer class="site-footer">
  <div class="wrap">
    <p><strong>${SHOP}</strong> Well-made goods for the home.</p>
    <p>
      <a href="/orders">Your orders</a>
      <a href="/docs">API documentation</a>
      <a href="/office">Back office</a>
    </p>
  </div>
</footer>`;
