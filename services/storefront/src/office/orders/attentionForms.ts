import { html, type Html } from "../../html/html.ts";

/**
 * Forms to retry or cancel an order that needs attention.
 *
 * @param customer Name for the buttons' accessible labels.
 */
export function attentionForms(id: string, customer: string): Html {
  return html`<form method="post" action="/office/orders/${id}/retry">
      <button class="button small">
        Retry<span class="visually-hidden"> order of ${customer}</span>
      </button>
    </form>
    ${cancelForm(id, customer, "Cancel")}`;
}

/**
 * Cancels an order whose parcel isn't sent yet: refunds what is paid, puts the items back, and stops the parcel. Nobody can undo that, so
 * a second button confirms it, without a script.
 */
export function cancelForm(id: string, customer: string, label: string): Html {
  const whose = html`<span class="visually-hidden"> order of ${customer}</span>`;
  return html`<details class="confirmation">
    <summary class="button small quiet">${label}${whose}</summary>
    <form method="post" action="/office/orders/${id}/cancel">
      <p class="fine">
        This stops the parcel, refunds what is paid, and puts the items back into the stock. It
        can’t be undone.
      </p>
      <button class="button small">Confirm: ${label.toLowerCase()}${whose}</button>
    </form>
  </details>`;
}
