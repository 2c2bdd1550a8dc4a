import type { Order } from "../../gateway/gateway.ts";
import { html, type Html } from "../../html/html.ts";
import { formatMoney } from "../../html/money.ts";
import { formatTime } from "../../html/time.ts";
import { statusLabels } from "./statusText.ts";

export const noOrdersPage = html`<div class="wrap notice">
  <h1>No orders yet</h1>
  <p>Orders you place in this browser are listed here.</p>
  <p><a class="button" href="/">Start shopping</a></p>
</div>`;

export function orderListPage(orders: readonly Order[]): Html {
  return html`<div class="wrap narrow">
    <h1>Your orders</h1>
    <p class="lead">Recent orders placed in this browser.</p>
    <ul class="order-list">
      ${orders.map(
        ({ id, status, items, total, placedAt }) =>
          html`<li>
            <a href="/orders/${id}">
              <span class="name">${items.map(({ name }) => name).join(", ")}</span>
              <span class="fine">${formatTime(placedAt)}</span>
              <span class="status ${status}">${statusLabels[status]}</span>
              <span class="price">${formatMoney(total)}</span>
            </a>
          </li>`,
      )}
    </ul>
  </div>`;
}
