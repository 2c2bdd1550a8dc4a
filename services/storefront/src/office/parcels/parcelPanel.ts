import type { operations } from "@store/contracts/public/shipping";
import { html, type Html } from "../../html/html.ts";
import { when } from "../../html/time.ts";

export type Shipment = operations["getShipment"]["responses"][200]["content"]["application/json"];

const words: Record<Shipment["status"], string> = {
  pending: "To be packed",
  dispatched: "On its way",
  delivered: "Delivered",
};

const regions = new Intl.DisplayNames(["en-AU"], { type: "region" });

/** A parcel: who gets it, what goes into it, and what can be done with it. @param from the page to come back to. */
export function parcel(shipment: Shipment, from: string): Html {
  const { order, status, recipient, lines, createdAt, dispatchedAt, deliveredAt } = shipment;
  return html`<div class="panel parcel">
    <p>
      <span class="status ${status}">${words[status]}</span>
      <a class="fine" href="/office/orders/${order}">Order ${order.slice(0, 8)}</a>
    </p>
    ${recipient === null ? html`<p>Its recipient isn’t known: it was made by an early release.</p>` : address(recipient)}
    <ul>
      ${lines.map(({ sku, name, quantity }) => html`<li>${quantity} × ${name} <span class="fine">${sku}</span></li>`)}
    </ul>
    <p class="fine">
      Ready to be packed
      ${when(createdAt)}${dispatchedAt === null ? undefined : html`; left ${when(dispatchedAt)}`}${deliveredAt === null ? undefined : html`; arrived ${when(deliveredAt)}`}
    </p>
    ${status === "pending" ? change(shipment, "dispatch", "It has left", from) : undefined}
    ${status === "dispatched" ? change(shipment, "deliver", "It has arrived", from) : undefined}
  </div>`;
}

function address({ name, address }: NonNullable<Shipment["recipient"]>): Html {
  const { line1, line2, postcode, city, country } = address;
  return html`<address>
    <strong>${name}</strong><br />${line1}<br />${line2 && html`${line2}<br />`}${postcode}
    ${city}<br />${regions.of(country)}
  </address>`;
}

function change({ id, recipient }: Shipment, what: string, label: string, from: string): Html {
  return html`<form method="post" action="/office/shipments/${id}/${what}">
    <input type="hidden" name="from" value="${from}" />
    <button class="button small">
      ${label}<span class="visually-hidden">: the parcel for ${recipient?.name ?? id}</span>
    </button>
  </form>`;
}
