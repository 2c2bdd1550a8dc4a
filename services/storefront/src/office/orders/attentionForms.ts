import { html, type Html } from "../../html/html.ts";

/**
 * Buttons to retry or cancel an order that needs attention.
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

/** Button to cancel an order whose parcel isn't sent yet: refunds what is paid, puts the items back, and stops the parcel. */
export function cancelForm(id: string, customer: string, label: string): Html {
  return html`<form method="post" action="/office/orders/${id}/cancel">
    <button class="button small quiet">
      ${label}<span class="visually-hidden"> order of ${customer}</span>
    </button>
  </form>`;
}
