import type { Order } from "../../gateway/gateway.ts";
import { html, type Html } from "../../html/html.ts";
import { formatMoney } from "../../html/money.ts";
import { formatTime } from "../../html/time.ts";
import { isFinal, statusMessage, timelineText } from "./statusText.ts";

export function orderPage(order: Order): Html {
  const { id, status, items, total, history, placedAt } = order;
  const { heading, text } = statusMessage(order);
  return html`<div class="wrap narrow">
    <p id="announcement" class="visually-hidden" role="status"></p>
    <div id="order" data-status="${status}" ${isFinal(status) ? html`data-final` : undefined}>
      <div class="order-head ${status}">
        <h1 tabindex="-1">${heading}</h1>
        <p class="lead">${text}</p>
        ${progress(order)} ${status === "cancelled" ? orderAgainForm(order) : undefined}
      </div>
      <div class="columns">
        <section aria-labelledby="items">
          <h2 id="items">Items</h2>
          <ul class="receipt">
            ${items.map(
              ({ sku, name, quantity, price }) =>
                html`<li>
                  <span>${quantity} × <a href="/products/${sku}">${name}</a></span>
                  <span class="price"
                    >${formatMoney({ ...price, amount: price.amount * quantity })}</span
                  >
                </li>`,
            )}
            <li class="total">
              <span>Total</span> <strong class="price">${formatMoney(total)}</strong>
            </li>
          </ul>
        </section>
        <section aria-labelledby="timeline">
          <h2 id="timeline">Timeline</h2>
          <ol class="history">
            ${history.map((entry) => html`<li>${timelineText(entry)} ${formatTime(entry.at)}</li>`)}
          </ol>
        </section>
      </div>
      <p class="fine">
        Order <span class="id">${id}</span>, placed ${formatTime(placedAt)}. Anyone with the link to
        this page can see the order. You can also find it under <a href="/orders">Orders</a> in this
        browser.
      </p>
    </div>
  </div>`;
}

const progressSteps = [
  { status: "pending", name: "Received" },
  { status: "confirmed", name: "Confirmed" },
  { status: "shipped", name: "On its way" },
  { status: "delivered", name: "Delivered" },
] as const;

/** The steps of an order; `undefined` for an order outside of them, such as a cancelled one. */
function progress({ status }: Order): Html | undefined {
  const reached = progressSteps.findIndex((step) => step.status === status);
  if (reached < 0) return undefined;
  return html`<ol class="steps" aria-label="Order progress">
    ${progressSteps.map(
      ({ name }, index) =>
        html`<li
          class="${index <= reached ? "done" : ""}"
          ${index === reached ? html`aria-current="step"` : undefined}
        >
          ${name}
        </li>`,
    )}
  </ol>`;
}

function orderAgainForm({ id }: Order): Html {
  return html`<form method="post" action="/orders/${id}/again">
    <button class="button">Add items to basket again</button>
  </form>`;
}
