import type { Reply } from "@store/kit";
import { icon, style } from "./assets.ts";
import { html, type Html } from "./html.ts";

export const SHOP = "Tern & Timber";

interface Page {
  readonly title: string;
  readonly description?: string;
  readonly main: Html;
}

export function sendPage(reply: Reply, page: Page): Reply {
  // Stock and prices change: a browser may keep a page but asks before it shows it again.
  return reply
    .header("cache-control", "no-cache")
    .type("text/html; charset=utf-8")
    .send(layout(page).markup);
}

function layout({ title, description, main }: Page): Html {
  return html`<!doctype html>
    <html lang="en-AU">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <meta name="description" content="${description ?? "Well-made things for the home."}" />
        <meta name="theme-color" content="#1f3d38" />
        <link rel="icon" href="${icon.path}" type="image/svg+xml" />
        <link rel="stylesheet" href="${style.path}" />
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        <header class="site-header">
          <div class="wrap">
            <a class="brand" href="/">
              <img src="${icon.path}" alt="" width="32" height="32" />
              <span>${SHOP}</span>
            </a>
            <nav aria-label="Main"><a href="/">Shop</a></nav>
          </div>
        </header>
        <main id="main">${main}</main>
        <footer class="site-footer">
          <div class="wrap">
            <p><strong>${SHOP}</strong> Well-made things for the home.</p>
            <p>
              Building something on our catalogue?
              <a href="/api/inventory/openapi.json">Its interface is public.</a>
            </p>
          </div>
        </footer>
      </body>
    </html>`;
}
