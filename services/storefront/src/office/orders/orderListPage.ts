import type { operations } from "@store/contracts/public/orders";
import { html, type Html } from "../../html/html.ts";
import { formatMoney } from "../../html/money.ts";
import { formatTime } from "../../html/time.ts";
import { attentionForms } from "./attentionForms.ts";
import { alertText } from "./paymentAlerts.ts";
import { officeStatusLabels, statuses, type Status } from "./status.ts";

type OrderPage = operations["listOrders"]["responses"][200]["content"]["application/json"];
type StaffOrder = OrderPage["items"][number];

interface View {
  readonly urgent: OrderPage;
  /** `undefined` if it would be the same list as {@link urgent}. */
  readonly page: OrderPage | undefined;
  /** Status of the selected tab; `undefined` for all orders. */
  readonly status: Status | undefined;
}

export function orderListPage({ urgent, page, status }: View): Html {
  return html`<div class="office-head"><h1>Orders</h1></div>
    <nav class="tabs" aria-label="By status">
      ${tab("All", undefined, status)}
      ${statuses.map((each) => tab(officeStatusLabels[each], each, status))}
    </nav>
    <h2>Needs attention</h2>
    ${
      urgent.items.length === 0
        ? html`<p>No orders need attention.</p>`
        : orderTable("Orders that need attention", urgent.items)
    }
    ${urgent.next === null ? undefined : nextPageLink("needs_attention", urgent.next)}
    ${
      page &&
      html`<h2>${status === undefined ? "Latest orders" : officeStatusLabels[status]}</h2>
        ${page.items.length === 0 ? html`<p>No orders.</p>` : orderTable("Orders", page.items)}
        ${page.next === null ? undefined : nextPageLink(status, page.next)}`
    }`;
}

function tab(name: string, status: Status | undefined, selected: Status | undefined): Html {
  const href = status === undefined ? "/office/orders" : `/office/orders?status=${status}`;
  return html`<a href="${href}" ${status === selected ? html`aria-current="page"` : undefined}
    >${name}</a
  >`;
}

function nextPageLink(status: Status | undefined, after: string): Html {
  const query = status === undefined ? "" : `status=${status}&`;
  return html`<p class="pages">
    <a class="button small" href="/office/orders?${query}after=${after}">Next page</a>
  </p>`;
}

function orderTable(label: string, items: readonly StaffOrder[]): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${label}">
    <table>
      <thead>
        <tr>
          <th scope="col">Order</th>
          <th scope="col">Status</th>
          <th scope="col">Progress</th>
          <th scope="col" class="number">Total</th>
        </tr>
      </thead>
      <tbody>
        ${items.map(orderRow)}
      </tbody>
    </table>
  </div>`;
}

function orderRow(order: StaffOrder): Html {
  const { id, status, reason, customer, placedAt, total, alerts = [], ...saga } = order;
  return html`<tr>
    <th scope="row">
      <a href="/office/orders/${id}">${customer.name}</a>
      <span class="fine">${customer.email}, ${formatTime(placedAt)}</span>
    </th>
    <td>
      <span class="status ${status}">${officeStatusLabels[status]}</span>
      ${reason && html`<p class="fine">${reason}</p>`}
    </td>
    <td>
      ${saga.step === "done" ? html`<span class="fine">Complete</span>` : sagaStep(saga)}
      ${alerts.map(alertText)}
      ${
        status === "needs_attention"
          ? attentionForms({ id, reason, customer: customer.name, alerts })
          : undefined
      }
    </td>
    <td class="number">${formatMoney(total)}</td>
  </tr>`;
}

function sagaStep({
  step,
  attempts,
  lastError,
}: Pick<StaffOrder, "step" | "attempts" | "lastError">): Html {
  return html`<p>${step}${attempts > 0 ? ` (attempts: ${attempts})` : undefined}</p>
    ${lastError && html`<p class="fine">${lastError}</p>`}`;
}
