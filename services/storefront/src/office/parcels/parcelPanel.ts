import type { operations } from "@store/contracts/public/shipping";
import { html, type Html } from "../../html/html.ts";
import { formatTime } from "../../html/time.ts";

export type Shipment = operations["getShipment"]["responses"][200]["content"]["application/json"];

export const shipmentStatusLabels: Record<Shipment["status"], string> = {
  pending: "To pack",
  dispatched: "Shipped",
  delivered: "Delivered",
  cancelled: "Cancelled: don’t send",
};

const regions = new Intl.DisplayNames(["en-AU"], { type: "region" });

/**
 * A parcel with its recipient, its items and a button for its next status.
 *
 * @param from Path of the page to return to after the button is pressed.
 */
export function parcelPanel(shipment: Shipment, from: string): Html {
  const { order, status, recipient, lines, createdAt, dispatchedAt, deliveredAt } = shipment;
  const { dispatchedBy, deliveredBy } = shipment;
  return html`<div class="panel parcel">
    <p>
      <span class="status ${status}">${shipmentStatusLabels[status]}</span>
      <a class="fine" href="/office/orders/${order}">Order ${order.slice(0, 8)}</a>
    </p>
    ${recipient === null ? html`<p>Unknown recipient (created by an old version of the shop).</p>` : address(recipient)}
    <ul>
      ${lines.map(({ sku, name, quantity }) => html`<li>${quantity} × ${name} <span class="fine">${sku}</span></li>`)}
    </ul>
    <p class="fine">
      Created
      ${formatTime(createdAt)}${dispatchedAt === null ? undefined : html`; shipped ${formatTime(dispatchedAt)}${by(dispatchedBy)}`}${deliveredAt === null ? undefined : html`; delivered ${formatTime(deliveredAt)}${by(deliveredBy)}`}
    </p>
    ${status === "pending" ? statusButton(shipment, "dispatch", "Mark as shipped", from) : undefined}
    ${status === "dispatched" ? statusButton(shipment, "deliver", "Mark as delivered", from) : undefined}
  </div>`;
}

function by(staff: string | undefined): string {
  return staff === undefined ? "" : ` by ${staff}`;
}

function address({ name, address }: NonNullable<Shipment["recipient"]>): Html {
  const { line1, line2, postcode, city, country } = address;
  return html`<address>
    <strong>${name}</strong><br />${line1}<br />${line2 && html`${line2}<br />`}${postcode}
    ${city}<br />${regions.of(country)}
  </address>`;
}

function statusButton(
  { id, recipient }: Shipment,
  action: "dispatch" | "deliver",
  label: string,
  from: string,
): Html {
  return html`<form method="post" action="/office/shipments/${id}/${action}">
    <input type="hidden" name="from" value="${from}" />
    <button class="button small">
      ${label}<span class="visually-hidden">: parcel for ${recipient?.name ?? id}</span>
    </button>
  </form>`;
}
