import { Sku, Type, type App } from "@store/kit";
import {
  MOST_LINES,
  MOST_OF_ONE,
  readBasket,
  withMore,
  withQuantity,
  writeBasket,
} from "./basket.ts";
import { nameOf, onlyLeft, priceLines, totalOf, trouble, type PricedLine } from "./pricedLines.ts";
import type { Gateway } from "../../gateway/gateway.ts";
import { html, type Html } from "../../html/html.ts";
import { sendPage, SHOP } from "../../html/layout.ts";
import { formatMoney } from "../../html/money.ts";

const Quantity = Type.String({ pattern: "^\\d{1,9}$" });

export function addBasketPages(app: App, gateway: Gateway): void {
  app.get(
    "/basket",
    {
      schema: {
        hide: true,
        querystring: Type.Object({
          added: Type.Optional(Sku),
          full: Type.Optional(Type.Boolean()),
        }),
        response: { 200: Type.String() },
      },
    },
    async (request, reply) => {
      const lines = await priceLines(gateway, request, readBasket(request));
      return sendPage(reply, {
        title: `Your basket – ${SHOP}`,
        current: "/basket",
        hidden: true,
        main: lines.length === 0 ? emptyBasket : basketPage(lines, request.query),
      });
    },
  );

  app.post(
    "/basket/add",
    { schema: { hide: true, body: Type.Object({ sku: Sku, quantity: Quantity }) } },
    async (request, reply) => {
      const { sku, quantity } = request.body;
      const basket = withMore(readBasket(request), sku, Math.max(1, Number(quantity)));
      if (basket === undefined) return reply.redirect("/basket?full=true", 303);
      writeBasket(reply, basket);
      return reply.redirect(`/basket?added=${sku}`, 303);
    },
  );

  app.post(
    "/basket/change",
    { schema: { hide: true, body: Type.Object({ sku: Sku, quantity: Quantity }) } },
    async (request, reply) => {
      const { sku, quantity } = request.body;
      writeBasket(reply, withQuantity(readBasket(request), sku, Number(quantity)));
      return reply.redirect("/basket", 303);
    },
  );
}

const emptyBasket = html`<div class="wrap notice">
  <h1>Your basket is empty</h1>
  <p>There is plenty that would like to be in it.</p>
  <p><a class="button" href="/">To the shop</a></p>
</div>`;

interface Said {
  readonly added?: string;
  readonly full?: boolean;
}

function basketPage(lines: readonly PricedLine[], { added, full }: Said): Html {
  const addedLine = lines.find(({ sku }) => sku === added);
  const missing = lines.filter((line) => onlyLeft(line) !== undefined);
  return html`<div class="wrap narrow">
    <h1>Your basket</h1>
    ${addedLine && html`<p class="banner good" role="status">${nameOf(addedLine)} is in your basket.</p>`}
    ${full === true ? html`<p class="banner bad" role="alert">A basket holds ${MOST_LINES} different things. Take something out to put in another.</p>` : undefined}
    ${missing.length > 0 ? troubles(missing) : undefined}
    <ul class="lines">
      ${lines.map(basketLine)}
    </ul>
    <div class="sum">
      <p>
        <span>Together</span>
        <strong>${totalOf(lines).map(formatMoney).join(" + ")}</strong>
      </p>
      <p class="fine">Delivery is included.</p>
      ${
        missing.length > 0
          ? html`<p class="fine">Change what isn’t available to go on.</p>`
          : html`<a class="button" href="/checkout">Go to checkout</a>`
      }
      <a class="button quiet" href="/">Go on shopping</a>
    </div>
  </div>`;
}

function troubles(missing: readonly PricedLine[]): Html {
  return html`<div class="banner bad" role="alert">
    <p>Not everything in your basket can be had:</p>
    <ul>
      ${missing.map((line) => html`<li><a href="#line-${line.sku}">${trouble(line)}</a></li>`)}
    </ul>
  </div>`;
}

function basketLine(line: PricedLine): Html {
  const { sku, quantity, product, price } = line;
  const said = trouble(line);
  const left = onlyLeft(line);
  return html`<li class="line" id="line-${sku}">
    ${
      product === undefined
        ? html`<span class="thumb"></span>`
        : html`<a class="thumb" href="/products/${sku}" tabindex="-1" aria-hidden="true"
            ><img src="${product.image}" alt="" width="96" height="96"
          /></a>`
    }
    <div class="line-text">
      <h2>${product === undefined ? sku : html`<a href="/products/${sku}">${product.name}</a>`}</h2>
      ${product && html`<p class="fine">${formatMoney(product.price)} each</p>`}
      ${said && html`<p class="error" id="trouble-${sku}">${said}</p>`}
      <div class="line-forms">
        <form method="post" action="/basket/change">
          <input type="hidden" name="sku" value="${sku}" />
          <label class="visually-hidden" for="quantity-${sku}">Quantity of ${nameOf(line)}</label>
          <input
            id="quantity-${sku}"
            name="quantity"
            type="number"
            inputmode="numeric"
            min="0"
            max="${MOST_OF_ONE}"
            value="${quantity}"
            required
            ${said && html`aria-invalid="true" aria-describedby="trouble-${sku}"`}
          />
          <button class="button small quiet">
            Update<span class="visually-hidden"> the quantity of ${nameOf(line)}</span>
          </button>
        </form>
        ${left === undefined || left === 0 ? undefined : changeTo(line, left, html`Take ${left} instead`)}
        ${changeTo(line, 0, html`Remove<span class="visually-hidden"> ${nameOf(line)}</span>`)}
      </div>
    </div>
    <p class="price">${price && formatMoney(price)}</p>
  </li>`;
}

function changeTo({ sku }: PricedLine, quantity: number, label: Html): Html {
  return html`<form method="post" action="/basket/change">
    <input type="hidden" name="sku" value="${sku}" />
    <input type="hidden" name="quantity" value="${quantity}" />
    <button class="link">${label}</button>
  </form>`;
}
