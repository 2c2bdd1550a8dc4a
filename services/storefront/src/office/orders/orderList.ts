import { Type, Uuid, type App } from "@store/kit";
import type { operations } from "@store/contracts/public/orders";
import type { Gateway } from "../../gateway/gateway.ts";
import { html, type Html } from "../../html/html.ts";
import { formatMoney } from "../../html/money.ts";
import { shortStatus } from "../../pages/orders/statusText.ts";
import { when } from "../../html/time.ts";
import { sendOfficePage } from "../layout.ts";
import { granted, staffHeaders } from "../session.ts";

type OrderPage = operations["listOrders"]["responses"][200]["content"]["application/json"];
type StaffOrder = OrderPage["items"][number];
type Status = StaffOrder["status"];

const CURRENT = "/office/orders";
const PAGE_SIZE = 30;

/** In the order in which they matter to who works here. */
const statuses: readonly Status[] = [
  "needs_attention",
  "pending",
  "confirmed",
  "shipped",
  "delivered",
  "cancelled",
];

/** The list of orders: those that need attention first, whatever else is looked at. */
export function addOrderList(app: App, { orders }: Gateway): void {
  app.get(
    CURRENT,
    {
      schema: {
        hide: true,
        querystring: Type.Object({
          status: Type.Optional(Type.Enum([...statuses])),
          after: Type.Optional(Uuid),
        }),
      },
    },
    async (request, reply) => {
      const { status, after } = request.query;
      const headers = staffHeaders(request);
      const list = async (query: { status?: Status; after?: string }) =>
        granted(
          await orders.GET("/api/orders", {
            params: { query: { limit: PAGE_SIZE, ...query } },
            headers,
          }),
        );
      const [urgent, page] = await Promise.all([
        list({ status: "needs_attention" }),
        status === "needs_attention" && after === undefined ? undefined : list({ status, after }),
      ]);
      return sendOfficePage(reply, {
        title: "Orders",
        current: CURRENT,
        main: listPage({ urgent, page, status }),
      });
    },
  );
}

interface Listed {
  readonly urgent: OrderPage;
  /** `undefined` when it would be the urgent ones again. */
  readonly page: OrderPage | undefined;
  readonly status: Status | undefined;
}

function listPage({ urgent, page, status }: Listed): Html {
  return html`<div class="office-head"><h1>Orders</h1></div>
    <nav class="tabs" aria-label="By status">
      ${tab("All", undefined, status)}
      ${statuses.map((each) => tab(shortStatus[each], each, status))}
    </nav>
    <h2>Need attention</h2>
    ${
      urgent.items.length === 0
        ? html`<p>None. Every order goes its way by itself.</p>`
        : table("Orders that need attention", urgent.items)
    }
    ${urgent.next === null ? undefined : more("needs_attention", urgent.next)}
    ${
      page &&
      html`<h2>${status === undefined ? "The latest" : shortStatus[status]}</h2>
        ${page.items.length === 0 ? html`<p>None.</p>` : table("Orders", page.items)}
        ${page.next === null ? undefined : more(status, page.next)}`
    }`;
}

function tab(name: string, status: Status | undefined, shown: Status | undefined): Html {
  const href = status === undefined ? CURRENT : `${CURRENT}?status=${status}`;
  return html`<a href="${href}" ${status === shown ? html`aria-current="page"` : undefined}
    >${name}</a
  >`;
}

function more(status: Status | undefined, after: string): Html {
  const query = status === undefined ? "" : `status=${status}&`;
  return html`<p class="pages">
    <a class="button small" href="${CURRENT}?${query}after=${after}">Show more</a>
  </p>`;
}

function table(label: string, items: readonly StaffOrder[]): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${label}">
    <table>
      <thead>
        <tr>
          <th scope="col">Order</th>
          <th scope="col">Status</th>
          <th scope="col">Where it stands</th>
          <th scope="col" class="number">Total</th>
        </tr>
      </thead>
      <tbody>
        ${items.map(row)}
      </tbody>
    </table>
  </div>`;
}

function row({ id, status, reason, customer, placedAt, total, ...saga }: StaffOrder): Html {
  return html`<tr>
    <th scope="row">
      <a href="/office/orders/${id}">${customer.name}</a>
      <span class="fine">${customer.email}, ${when(placedAt)}</span>
    </th>
    <td>
      <span class="status ${status}">${shortStatus[status]}</span>
      ${reason && html`<p class="fine">${reason}</p>`}
    </td>
    <td>
      ${saga.step === "done" ? html`<span class="fine">Nothing left to do</span>` : progress(saga)}
      ${status === "needs_attention" ? attentionForms(id, reason, customer.name) : undefined}
    </td>
    <td class="number">${formatMoney(total)}</td>
  </tr>`;
}

function progress({
  step,
  attempts,
  lastError,
}: Pick<StaffOrder, "step" | "attempts" | "lastError">): Html {
  return html`<p>${step}${attempts > 0 ? `, tried ${attempts} times` : undefined}</p>
    ${lastError && html`<p class="fine">${lastError}</p>`}`;
}

/** What can be done about an order that needs attention. */
export function attentionForms(id: string, reason: string | undefined, whose: string): Html {
  return html`<form method="post" action="/office/orders/${id}/retry">
      <button class="button small">
        Try again<span class="visually-hidden">: the order of ${whose}</span>
      </button>
    </form>
    ${
      isPastPivot(reason)
        ? undefined
        : html`<form method="post" action="/office/orders/${id}/cancel">
            <button class="button small quiet">
              Cancel<span class="visually-hidden">: the order of ${whose}</span>
            </button>
          </form>`
    }`;
}

/** Whether the order's goods are taken, by what was refused: then it can only go on. */
function isPastPivot(reason: string | undefined): boolean {
  return reason === "capture_refused" || reason === "ship_refused";
}
