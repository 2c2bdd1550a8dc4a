import { html, type Html } from "../../html/html.ts";
import { formatMoney, formatTotal } from "../../html/money.ts";
import { countItems, MAX_LINES, MAX_QUANTITY } from "./basket.ts";
import {
  lineName,
  reducedQuantity,
  totalOf,
  unavailableText,
  type PricedLine,
} from "./pricedLines.ts";

export const emptyBasketPage = html`<div class="wrap notice">
  <h1>Your basket is empty</h1>
  <p>Browse our products to find something you like.</p>
  <p><a class="button" href="/">Continue shopping</a></p>
</div>`;

interface BasketOptions {
  /** SKU of the product that was just added. */
  readonly added?: string;
  /** True if the last product could not be added because the basket is full. */
  readonly full?: boolean;
  /** Maximum number of items of an order, over all products. */
  readonly maxItems: number;
}

export function basketPage(lines: readonly PricedLine[], options: BasketOptions): Html {
  const { added, full, maxItems } = options;
  const addedLine = lines.find(({ sku }) => sku === added);
  const unavailable = lines.filter((line) => reducedQuantity(line) !== undefined);
  const isTooLarge = countItems(lines) > maxItems;
  return html`<div class="wrap narrow">
    <h1>Your basket</h1>
    ${addedLine && html`<p class="banner good" role="status">${lineName(addedLine)} was added to your basket.</p>`}
    ${full === true ? html`<p class="banner bad" role="alert">Your basket can hold up to ${MAX_LINES} different products. Remove one to add another.</p>` : undefined}
    ${unavailable.length > 0 ? unavailableSummary(unavailable) : undefined}
    ${isTooLarge ? html`<p class="banner bad" role="alert">An order can have up to ${maxItems} items. Remove some, and place another order for them.</p>` : undefined}
    <ul class="lines">
      ${lines.map(basketLine)}
    </ul>
    <div class="sum">
      <p>
        <span>Total</span>
        <strong>${formatTotal(totalOf(lines))}</strong>
      </p>
      <p class="fine">Delivery is free.</p>
      ${
        unavailable.length > 0
          ? html`<p class="fine">Update the unavailable items to go to checkout.</p>`
          : isTooLarge
            ? undefined
            : html`<a class="button" href="/checkout">Go to checkout</a>`
      }
      <a class="button quiet" href="/">Continue shopping</a>
    </div>
  </div>`;
}

function unavailableSummary(lines: readonly PricedLine[]): Html {
  return html`<div class="banner bad" role="alert">
    <p>Some items in your basket are unavailable:</p>
    <ul>
      ${lines.map((line) => html`<li><a href="#line-${line.sku}">${unavailableText(line)}</a></li>`)}
    </ul>
  </div>`;
}

function basketLine(line: PricedLine): Html {
  const { sku, product, price } = line;
  const error = unavailableText(line);
  const available = reducedQuantity(line);
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
      ${error && html`<p class="error" id="error-${sku}">${error}</p>`}
      <div class="line-forms">
        ${quantityForm(line, error && `error-${sku}`)}
        ${available === undefined || available === 0 ? undefined : setQuantityButton(line, available, html`Change quantity to ${available}`)}
        ${setQuantityButton(line, 0, html`Remove<span class="visually-hidden"> ${lineName(line)}</span>`)}
      </div>
    </div>
    <p class="price">${price && formatMoney(price)}</p>
  </li>`;
}

function quantityForm(line: PricedLine, errorId: string | undefined): Html {
  const { sku, quantity } = line;
  return html`<form method="post" action="/basket/change">
    <input type="hidden" name="sku" value="${sku}" />
    <label class="visually-hidden" for="quantity-${sku}">Quantity of ${lineName(line)}</label>
    <input
      id="quantity-${sku}"
      name="quantity"
      type="number"
      inputmode="numeric"
      min="0"
      max="${MAX_QUANTITY}"
      value="${quantity}"
      required
      ${errorId && html`aria-invalid="true" aria-describedby="${errorId}"`}
    />
    <button class="button small quiet">
      Update<span class="visually-hidden"> quantity of ${lineName(line)}</span>
    </button>
  </form>`;
}

function setQuantityButton({ sku }: PricedLine, quantity: number, label: Html): Html {
  return html`<form method="post" action="/basket/change">
    <input type="hidden" name="sku" value="${sku}" />
    <input type="hidden" name="quantity" value="${quantity}" />
    <button class="link">${label}</button>
  </form>`;
}
