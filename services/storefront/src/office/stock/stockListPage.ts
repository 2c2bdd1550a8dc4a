import type { operations } from "@store/contracts/public/inventory";
import { html, type Html } from "../../html/html.ts";
import { formatMoney } from "../../html/money.ts";
import type { StockedProduct } from "./productEdit.ts";

type StockPage = operations["listStock"]["responses"][200]["content"]["application/json"];

interface View {
  /** Search words; `undefined` for the whole stock. */
  readonly q: string | undefined;
  /** SKU of the product that was just saved. */
  readonly saved: string | undefined;
}

export function stockListPage({ items, next }: StockPage, { q, saved }: View): Html {
  const query = q === undefined ? "" : `q=${encodeURIComponent(q)}&`;
  return html`<div class="office-head">
      <h1>Stock</h1>
      <form class="search" role="search" action="/office/stock" method="get">
        <label class="visually-hidden" for="q">Search stock</label>
        <input
          id="q"
          name="q"
          type="search"
          placeholder="Name, keyword or SKU"
          maxlength="100"
          value="${q}"
        />
        <button class="button small">Search</button>
      </form>
      <a class="button small quiet" href="/office/new-product">New product</a>
    </div>
    ${saved && html`<p class="banner good" role="status">${saved} was saved.</p>`}
    ${items.length === 0 ? html`<p>No products found.</p>` : stockTable(items)}
    <nav class="pages" aria-label="Pages">
      ${next === null ? undefined : html`<a class="button small" rel="next" href="/office/stock?${query}after=${next}">Next page</a>`}
    </nav>`;
}

function stockTable(items: readonly StockedProduct[]): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Stock">
    <table>
      <thead>
        <tr>
          <th scope="col">Product</th>
          <th scope="col" class="number">Price</th>
          <th scope="col" class="number">On hand</th>
          <th scope="col" class="number">Reserved</th>
          <th scope="col" class="number">Available</th>
        </tr>
      </thead>
      <tbody>
        ${items.map(
          ({ sku, name, price, onHand, held, available }) =>
            html`<tr class="${available === 0 ? "out" : ""}">
              <th scope="row">
                <a href="/office/stock/${sku}">${name}</a> <span class="fine">${sku}</span>
              </th>
              <td class="number">${formatMoney(price)}</td>
              <td class="number">${onHand}</td>
              <td class="number">${held}</td>
              <td class="number">${available}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}
