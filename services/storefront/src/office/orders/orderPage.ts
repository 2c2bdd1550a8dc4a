import type { Order } from "../../gateway/gateway.ts";
import type { FieldErrors } from "../../html/fieldErrors.ts";
import { html, type Html } from "../../html/html.ts";
import { formatMoney } from "../../html/money.ts";
import { formatTime } from "../../html/time.ts";
import type { Fields } from "../../http/forms.ts";
import { timelineText } from "../../pages/orders/statusText.ts";
import { parcelPanel, type Shipment } from "../parcels/parcelPanel.ts";
import { attentionForms, cancelForm } from "./attentionForms.ts";
import { attentionNote, isPaymentReason, type PaymentAlert } from "./paymentAlerts.ts";
import { paymentPanel, type Payment } from "./paymentPanel.ts";
import { staffActionsSection, type StaffAction } from "./staffActions.ts";
import { officeStatusLabels } from "./status.ts";

/** Results of the last action, to show on the order's page. */
export interface Messages {
  readonly success?: string | undefined;
  readonly error?: string;
  /** The submitted refund form, to show again. */
  readonly fields?: Fields;
  /** Errors in the submitted refund form. */
  readonly fieldErrors?: FieldErrors;
}

interface OrderDetails {
  readonly order: Order;
  readonly payments: readonly Payment[];
  readonly shipments: readonly Shipment[];
  readonly actions: readonly StaffAction[];
  /** Alerts about the payments that aren't handled yet. */
  readonly alerts: readonly PaymentAlert[];
}

export function orderPage(details: OrderDetails, messages: Messages): Html {
  const { order, payments, shipments, actions, alerts } = details;
  const { id, status, reason } = order;
  const { success, error } = messages;
  return html`<nav class="crumbs" aria-label="Breadcrumb">
      <a href="/office/orders">Orders</a> <span aria-hidden="true">/</span>
      <span aria-current="page">${id.slice(0, 8)}</span>
    </nav>
    <div class="office-head">
      <h1>Order</h1>
      <span class="status ${status}">${officeStatusLabels[status]}</span>
      ${
        status === "needs_attention"
          ? attentionForms({ id, reason, customer: "this customer", alerts })
          : undefined
      }
      ${isConfirmed(order) ? cancelForm(id, "this customer", "Cancel and refund") : undefined}
    </div>
    ${status === "needs_attention" ? attentionNote(reason, alerts) : undefined}
    ${success && html`<p class="banner good" role="status">${success}</p>`}
    ${error && html`<p class="banner bad" role="alert">${error}</p>`} ${facts(order)}
    <div class="columns">${itemsSection(order)} ${timelineSection(order)}</div>
    ${staffActionsSection(actions)}
    <h2>Payments</h2>
    ${payments.length === 0 ? html`<p>No payments yet.</p>` : payments.map((payment) => paymentPanel(id, payment, messages))}
    <h2>Parcel</h2>
    ${shipments.length === 0 ? html`<p>No parcel yet.</p>` : shipments.map((shipment) => parcelPanel(shipment, `/office/orders/${id}`))}`;
}

/** Returns whether an order waits for its dispatch, also while it needs attention because of its payment. */
function isConfirmed({ status, reason, history }: Order): boolean {
  if (status !== "needs_attention" || !isPaymentReason(reason)) return status === "confirmed";
  return history.findLast((entry) => entry.status !== "needs_attention")?.status === "confirmed";
}

function facts({ id, placedAt, reason, total }: Order): Html {
  return html`<dl class="facts">
    <dt>Order number</dt>
    <dd><a class="id" href="/orders/${id}">${id}</a></dd>
    <dt>Placed</dt>
    <dd>${formatTime(placedAt)}</dd>
    ${
      reason &&
      html`<dt>Reason</dt>
        <dd>${reason}</dd>`
    }
    <dt>Total</dt>
    <dd>${formatMoney(total)}</dd>
  </dl>`;
}

function itemsSection({ items }: Order): Html {
  return html`<section aria-labelledby="items">
    <h2 id="items">Items</h2>
    <ul class="receipt">
      ${items.map(
        ({ sku, name, quantity, price }) =>
          html`<li>
            <span>${quantity} × <a href="/office/stock/${sku}">${name}</a></span>
            <span class="price">${formatMoney({ ...price, amount: price.amount * quantity })}</span>
          </li>`,
      )}
    </ul>
  </section>`;
}

function timelineSection({ history }: Order): Html {
  return html`<section aria-labelledby="timeline">
    <h2 id="timeline">Timeline</h2>
    <ol class="history">
      ${history.map((entry) => html`<li>${timelineText(entry)} ${formatTime(entry.at)}</li>`)}
    </ol>
  </section>`;
}
