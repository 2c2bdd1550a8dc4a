import type { Reply, Request } from "@store/kit";
import type { Gateway } from "../gateway/gateway.ts";
import { html, type Html } from "../html/html.ts";
import { sendHtml, SHOP } from "../html/layout.ts";
import { icon } from "../http/assets.ts";
import { loggedInStaff } from "./session.ts";

interface OfficePage {
  readonly title: string;
  readonly main: Html;
  /** Path of the navigation link to mark as the current page. */
  readonly current?: string;
}

/** Returns a banner while payments are a trial, so that nobody packs goods that no money was paid for. */
export async function trialBanner(
  { paymentMethods }: Gateway,
  request: Request,
): Promise<Html | undefined> {
  const methods = await paymentMethods(request);
  if (methods === undefined || methods.movesMoney) return undefined;
  return html`<p class="banner" role="note">
    <strong>Trial: nobody pays.</strong> The payment provider is
    ${methods.provider === "simulated" ? "simulated" : `${methods.provider} with a test key`}, so
    orders count as paid although no money moves.
  </p>`;
}

/** Sends a page of the back office. */
export function sendOfficePage(reply: Reply, page: OfficePage): Reply {
  // The pages contain personal data, which must not stay in a cache after the log-out.
  reply.header("cache-control", "private, no-store");
  return sendHtml(reply, {
    title: `${page.title} – Back office of ${SHOP}`,
    hidden: true,
    header: header(page, loggedInStaff(reply.request)),
    main: html`<div class="wrap office">${page.main}</div>`,
    footer: html`<footer class="site-footer">
      <div class="wrap">
        <p><a href="/">View shop</a></p>
      </div>
    </footer>`,
  });
}

const links = [
  { path: "/office/orders", name: "Orders" },
  { path: "/office/parcels", name: "Parcels" },
  { path: "/office/stock", name: "Stock" },
];

/** @param staff Name of the user, without which there is no navigation. */
function header({ current }: OfficePage, staff: string | undefined): Html {
  return html`<header class="site-header">
    <div class="wrap">
      <a class="brand" href="/office">
        <img src="${icon.path}" alt="" width="32" height="32" />
        <span>Back office</span>
      </a>
      ${staff && navigation(staff, current)}
    </div>
  </header>`;
}

function navigation(staff: string, current: string | undefined): Html {
  return html`<nav aria-label="Back office">
      ${links.map(
        ({ path, name }) =>
          html`<a href="${path}" ${path === current ? html`aria-current="page"` : undefined}
            >${name}</a
          >`,
      )}
    </nav>
    <form class="who" method="post" action="/office/logout">
      <span>Logged in as <strong>${staff}</strong></span> <button class="link">Log out</button>
    </form>`;
}
