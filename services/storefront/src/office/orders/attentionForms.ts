import { html, type Html } from "../../html/html.ts";
import { isPaymentReason } from "./paymentAlerts.ts";

interface OrderForms {
  readonly id: string;
  /** Reason of its status. */
  readonly reason?: string | undefined;
  /** Name for the buttons' accessible labels. */
  readonly customer: string;
}

/** Forms with which an order that needs attention continues: to retry or cancel it, or after a report about its payment to go on. */
export function attentionForms({ id, reason, customer }: OrderForms): Html {
  if (isPaymentReason(reason)) return resolveForm(id, customer);
  return html`<form method="post" action="/office/orders/${id}/retry">
      <button class="button small">
        Retry<span class="visually-hidden"> order of ${customer}</span>
      </button>
    </form>
    ${cancelForm(id, customer, "Cancel")}`;
}

function resolveForm(id: string, customer: string): Html {
  return html`<form method="post" action="/office/orders/${id}/resolve">
    <button class="button small">
      Mark as handled<span class="visually-hidden"> order of ${customer}</span>
    </button>
  </form>`;
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
