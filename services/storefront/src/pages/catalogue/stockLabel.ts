import { html, type Html } from "../../html/html.ts";

/** Up to this quantity, customers see how many are left. */
const LOW_STOCK = 5;

export function isLowStock(available: number): boolean {
  return available <= LOW_STOCK;
}

export function stockLabel(available: number): Html {
  if (available === 0) return html`<span class="stock out">Sold out</span>`;
  if (isLowStock(available)) return html`<span class="stock few">Only ${available} left</span>`;
  return html`<span class="stock">In stock</span>`;
}
