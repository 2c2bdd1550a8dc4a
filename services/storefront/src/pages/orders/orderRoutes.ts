import { problem, Type, Uuid, type App } from "@store/kit";
import { orderScript } from "../../http/assets.ts";
import { readBasket, withMore, writeBasket } from "../basket/basket.ts";
import { findOrder, type Gateway, type Order } from "../../gateway/gateway.ts";
import { html, type Html } from "../../html/html.ts";
import { sendPage, SHOP } from "../../html/layout.ts";
import { formatMoney } from "../../html/money.ts";
import { happened, isOver, shortStatus, wordsFor } from "./statusText.ts";
import { readRecentOrders } from "./recentOrders.ts";
import { when } from "../../html/time.ts";

const params = Type.Object({ id: Uuid });

export function addOrderPages(app: App, gateway: Gateway): void {
  app.get(
    "/orders/:id",
    { schema: { hide: true, params, response: { 200: Type.String() } } },
    async (request, reply) => {
      const order = await findOrder(gateway, request, request.params.id);
      if (order === undefined) throw problem(404, "There is no such order.");
      // Its address is the key to it, and what is behind it are somebody's own affairs.
      reply.header("cache-control", "private, no-store");
      return sendPage(reply, {
        title: `${wordsFor(order).heading} – ${SHOP}`,
        hidden: true,
        scripts: [orderScript],
        policy: { "script-src": "'self'", "connect-src": "'self'" },
        refreshSeconds: refreshSeconds(order),
        main: orderPage(order),
      });
    },
  );

  // Somebody whose card was declined needn't look for everything again.
  app.post("/orders/:id/again", { schema: { hide: true, params } }, async (request, reply) => {
    const order = await findOrder(gateway, request, request.params.id);
    if (order === undefined) throw problem(404, "There is no such order.");
    const basket = order.items.reduce(
      (basket, { sku, quantity }) =>
        basket.some((line) => line.sku === sku)
          ? basket
          : (withMore(basket, sku, quantity) ?? basket),
      readBasket(request),
    );
    writeBasket(reply, basket);
    return reply.redirect("/basket", 303);
  });

  app.get("/orders", { schema: { hide: true } }, async (request, reply) => {
    const found = await Promise.all(
      readRecentOrders(request).map((id) => findOrder(gateway, request, id)),
    );
    const orders = found.filter((order) => order !== undefined);
    return sendPage(reply, {
      title: `Your orders – ${SHOP}`,
      current: "/orders",
      hidden: true,
      main: orders.length === 0 ? noOrders : ordersPage(orders),
    });
  });
}

/** While it is under way it changes within seconds; later, people and carriers change it. */
function refreshSeconds({ status }: Order): number | undefined {
  if (isOver(status)) return undefined;
  return status === "pending" ? 3 : 30;
}

function orderPage(order: Order): Html {
  const { id, status, items, total, history, placedAt } = order;
  const { heading, text } = wordsFor(order);
  return html`<div class="wrap narrow">
    <p id="announcement" class="visually-hidden" role="status"></p>
    <div id="order" data-status="${status}" ${isOver(status) ? html`data-over` : undefined}>
      <div class="order-head ${status}">
        <h1 tabindex="-1">${heading}</h1>
        <p class="lead">${text}</p>
        ${steps(order)} ${status === "cancelled" ? again(order) : undefined}
      </div>
      <div class="columns">
        <section aria-labelledby="things">
          <h2 id="things">What you ordered</h2>
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
              <span>Together</span> <strong class="price">${formatMoney(total)}</strong>
            </li>
          </ul>
        </section>
        <section aria-labelledby="history">
          <h2 id="history">What happened</h2>
          <ol class="history">
            ${history.map((entry) => html`<li>${happened(entry)} ${when(entry.at)}</li>`)}
          </ol>
        </section>
      </div>
      <p class="fine">
        Order <span class="id">${id}</span>, placed ${when(placedAt)}. Keep this page’s address:
        whoever has it can see the order. In this browser you find it under
        <a href="/orders">Orders</a>.
      </p>
    </div>
  </div>`;
}

const path = [
  { status: "pending", name: "Received" },
  { status: "confirmed", name: "Confirmed" },
  { status: "shipped", name: "On its way" },
  { status: "delivered", name: "Delivered" },
] as const;

function steps({ status }: Order): Html | undefined {
  const reached = path.findIndex((step) => step.status === status);
  if (reached < 0) return undefined;
  return html`<ol class="steps" aria-label="How far it is">
    ${path.map(
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

function again({ id }: Order): Html {
  return html`<form method="post" action="/orders/${id}/again">
    <button class="button">Put it back into the basket</button>
  </form>`;
}

const noOrders = html`<div class="wrap notice">
  <h1>No orders yet</h1>
  <p>What you order from this browser is listed here.</p>
  <p><a class="button" href="/">To the shop</a></p>
</div>`;

function ordersPage(orders: readonly Order[]): Html {
  return html`<div class="wrap narrow">
    <h1>Your orders</h1>
    <p class="lead">What was ordered from this browser lately.</p>
    <ul class="order-list">
      ${orders.map(
        ({ id, status, items, total, placedAt }) =>
          html`<li>
            <a href="/orders/${id}">
              <span class="name">${items.map(({ name }) => name).join(", ")}</span>
              <span class="fine">${when(placedAt)}</span>
              <span class="status ${status}">${shortStatus[status]}</span>
              <span class="price">${formatMoney(total)}</span>
            </a>
          </li>`,
      )}
    </ul>
  </div>`;
}
