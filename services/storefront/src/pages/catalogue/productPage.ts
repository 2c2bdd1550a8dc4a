import type { Product } from "../../gateway/gateway.ts";
import { html, type Html } from "../../html/html.ts";
import { formatMoney } from "../../html/money.ts";
import { MAX_QUANTITY } from "../basket/basket.ts";
import { stockLabel } from "./stockLabel.ts";

export function productPage(product: Product): Html {
  const { name, description, image, price, available, sku } = product;
  return html`<div class="wrap">
    <nav class="crumbs" aria-label="Breadcrumb">
      <a href="/">Shop</a> <span aria-hidden="true">/</span>
      <span aria-current="page">${name}</span>
    </nav>
    <article class="product">
      <div class="picture"><img src="${image}" alt="${name}" width="400" height="400" /></div>
      <div class="product-text">
        <h1>${name}</h1>
        <p class="price">${formatMoney(price)}</p>
        <p>${stockLabel(available)}</p>
        <p class="description">${description}</p>
        ${available === 0 ? soldOut : addToBasketForm(product)}
        <ul class="promises">
          <li>Free delivery</li>
          <li>You are only charged once your items are reserved</li>
        </ul>
        <p class="fine">SKU: ${sku}</p>
      </div>
    </article>
  </div>`;
}

function addToBasketForm({ sku, available }: Product): Html {
  return html`<form class="buy" method="post" action="/basket/add">
    <input type="hidden" name="sku" value="${sku}" />
    <div class="field small">
      <label for="quantity">Quantity</label>
      <input
        id="quantity"
        name="quantity"
        type="number"
        inputmode="numeric"
        min="1"
        max="${Math.min(available, MAX_QUANTITY)}"
        value="1"
        required
      />
    </div>
    <button class="button">Add to basket</button>
  </form>`;
}

const soldOut = html`<p class="banner">
  This product is currently sold out. Please check back in a few weeks.
</p>`;
