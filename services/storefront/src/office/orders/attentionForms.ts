import { html, type Html } from "../../html/html.ts";
import { isPaymentReason, type PaymentAlert } from "./paymentAlerts.ts";

interface OrderForms {
  readonly id: string;
  /** Reason of its status. */
  readonly reason?: string | undefined;
  /** Name for the buttons' accessible labels. */
  readonly customer: string;
  /** The alerts that the page shows, oldest first. */
  readonly alerts: readonly PaymentAlert[];
}

/** Forms with which an order that needs attention continues: to retry or cancel it, or after a report about its payment to go on. */
export function attentionForms({ id, reason, customer, alerts }: OrderForms): Html {
  if (isPaymentReason(reason)) return resolveForm(id, customer, alerts);
  return html`<form method="post" action="/office/orders/${id}/retry">
      <button class="button small">
        Retry<span class="visually-hidden"> order of ${customer}</span>
      </button>
    </form>
    ${cancelForm(id, customer, "Cancel")}`;
}

/** An alert that has arrived since the page was sent isn't handled by it. */
function resolveForm(id: string, customer: string, alerts: readonly PaymentAlert[]): Html {
  // During a rollout, an earlier release of orders sends alerts without their ids, and takes none.
  const through: number | undefined = alerts.length === 0 ? 0 : alerts.at(-1)?.id;
  return html`<form method="post" action="/office/orders/${id}/resolve">
    ${
      through === undefined
        ? undefined
        : html`<input type="hidden" name="through" value="${through}" />`
    }
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
