import { html, type Html } from "../../html/html.ts";
import { formatMoney } from "../../html/money.ts";
import {
  lineName,
  reducedQuantity,
  unavailableText,
  type PricedLine,
} from "../basket/pricedLines.ts";
import type { Checkout } from "./checkout.ts";

/** The column beside the form: the items, the total and the form's button. */
export function orderSummary(checkout: Checkout, button: Html): Html {
  const { lines, errors } = checkout;
  return html`<section class="order-summary" aria-labelledby="summary">
    <h2 id="summary">Order summary</h2>
    ${
      lines &&
      html`<ul>
        ${lines.map((line, index) => summaryLine(line, errors?.get(`item-${index}`)))}
      </ul>`
    }
    <p class="total"><span>Total</span> <strong>${checkout.displayedTotal}</strong></p>
    ${button}
  </section>`;
}

/** The page without a form, for a payment provider whose cards can be entered in the provider's own form only. */
export function closedCheckoutPage({ lines, displayedTotal }: Checkout): Html {
  return html`<div class="wrap narrow">
    <h1>Checkout</h1>
    <div class="banner bad" role="alert">
      <p>We can’t accept card payments yet, so you can’t place an order. Your basket is saved.</p>
    </div>
    <section class="order-summary" aria-labelledby="summary">
      <h2 id="summary">Your basket</h2>
      ${
        lines &&
        html`<ul>
          ${lines.map((line) => html`<li>${lineText(line)}</li>`)}
        </ul>`
      }
      <p class="total"><span>Total</span> <strong>${displayedTotal}</strong></p>
      <p><a href="/basket">Back to basket</a></p>
    </section>
  </div>`;
}

function summaryLine(line: PricedLine, apiError: string | undefined): Html {
  const { sku } = line;
  const available = reducedQuantity(line);
  const error = unavailableText(line) ?? apiError;
  return html`<li id="item-${sku}">
    ${lineText(line)} ${error && html`<span class="error">${error}</span>`}
    ${
      available === undefined
        ? undefined
        : html`<button
            class="button small quiet"
            name="adjust"
            value="${sku}*${available}"
            formnovalidate
          >
            ${available === 0 ? "Remove" : `Change quantity to ${available}`}<span
              class="visually-hidden"
              >: ${lineName(line)}</span
            >
          </button>`
    }
  </li>`;
}

function lineText(line: PricedLine): Html {
  return html`<span>${line.quantity} × ${lineName(line)}</span>
    <span class="price">${line.price && formatMoney(line.price)}</span>`;
}
