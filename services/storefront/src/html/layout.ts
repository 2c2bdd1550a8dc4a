import type { Reply } from "@store/kit";
import { icon, style, type Asset } from "../http/assets.ts";
import { countThings, readBasket } from "../pages/basket/basket.ts";
import { html, type Html } from "./html.ts";
import { allow } from "../http/security.ts";

export const SHOP = "Tern & Timber";

interface Page {
  readonly title: string;
  readonly description?: string;
  readonly main: Html;
  /** What was searched for, to be seen in the search field. */
  readonly query?: string;
  /** Path of the navigation's link that leads here. */
  readonly current?: string;
  /** Run on this page; its policy must let them. @default none */
  readonly scripts?: readonly Asset[];
  /** Beside our own style sheet. @default none */
  readonly styles?: readonly Asset[];
  /** What the page may do that others may not, as directives of its content security policy. */
  readonly policy?: Readonly<Record<string, string>>;
  /** How often a browser without scripts loads the page again, in seconds. */
  readonly refreshSeconds?: number;
  /** For search engines: not to be listed. */
  readonly hidden?: boolean;
}

/** Sends a page of the shop. */
export function sendPage(reply: Reply, page: Page): Reply {
  return sendHtml(reply, { ...page, header: header(reply, page), footer });
}

interface Frame extends Page {
  readonly header: Html;
  readonly footer: Html;
}

/** Sends a whole page with a header and a footer of its own. */
export function sendHtml(reply: Reply, page: Frame): Reply {
  if (page.policy !== undefined) allow(reply, page.policy);
  // Stock, prices and the basket change: a browser may keep a page but asks before it shows it again.
  if (!reply.hasHeader("cache-control")) reply.header("cache-control", "private, no-cache");
  return reply.type("text/html; charset=utf-8").send(document(page).markup);
}

function document(page: Frame): Html {
  const { title, description, main, refreshSeconds, scripts = [], styles = [] } = page;
  return html`<!doctype html>
    <html lang="en-AU">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <meta name="description" content="${description ?? "Well-made things for the home."}" />
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
        <a class="skip" href="#main">Skip to the content</a>
        ${page.header}
        <main id="main" tabindex="-1">${main}</main>
        ${page.footer}
      </body>
    </html>`;
}

function header(reply: Reply, { query, current }: Page): Html {
  const count = countThings(readBasket(reply.request));
  const here = (path: string) => (path === current ? html`aria-current="page"` : undefined);
  return html`<header class="site-header">
    <div class="wrap">
      <a class="brand" href="/">
        <img src="${icon.path}" alt="" width="32" height="32" />
        <span>${SHOP}</span>
      </a>
      <form class="search" role="search" action="/" method="get">
        <label class="visually-hidden" for="q">Search the shop</label>
        <input
          id="q"
          name="q"
          type="search"
          placeholder="Search the shop"
          maxlength="100"
          value="${query}"
        />
        <button class="icon-button" aria-label="Search">${searchIcon}</button>
      </form>
      <nav aria-label="Main">
        <a href="/" ${here("/")}>Shop</a>
        <a href="/orders" ${here("/orders")}>Orders</a>
        <a class="to-basket" href="/basket" ${here("/basket")}>
          ${basketIcon}<span class="label">Basket</span>${
            count === 0
              ? undefined
              : html` <span class="count"
                  >${count}<span class="visually-hidden"> things</span></span
                >`
          }
        </a>
      </nav>
    </div>
  </header>`;
}

const searchIcon = html`<svg
  viewBox="0 0 24 24"
  width="20"
  height="20"
  aria-hidden="true"
  class="icon"
>
  <circle cx="11" cy="11" r="6.5" />
  <path d="m16 16 4.5 4.5" />
</svg>`;

const basketIcon = html`<svg
  viewBox="0 0 24 24"
  width="22"
  height="22"
  aria-hidden="true"
  class="icon"
>
  <path d="M3.5 10h17l-1.6 8.5a2 2 0 0 1-2 1.5H7.1a2 2 0 0 1-2-1.5z" />
  <path d="m8 10 3-6M16 10l-3-6" />
</svg>`;

const footer = html`<footer class="site-footer">
  <div class="wrap">
    <p><strong>${SHOP}</strong> Well-made things for the home.</p>
    <p>
      <a href="/orders">Your orders</a>
      <a href="/docs">Our interface, for builders</a>
      <a href="/office">Back office</a>
    </p>
  </div>
</footer>`;
