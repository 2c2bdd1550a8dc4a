import { Type, Uuid, type App } from "@store/kit";
import type { Gateway } from "../../gateway/gateway.ts";
import { html, type Html } from "../../html/html.ts";
import { sendOfficePage, trialBanner } from "../layout.ts";
import { requireData, staffHeaders } from "../session.ts";
import { parcelPanel, shipmentStatusLabels, type Shipment } from "./parcelPanel.ts";

const PATH = "/office/parcels";
const PAGE_SIZE = 30;

const statuses = ["pending", "dispatched", "delivered"] as const;
type Status = (typeof statuses)[number];

/** Adds the list of parcels, and the forms that mark a parcel as shipped or delivered. */
export function addParcels(app: App, gateway: Gateway): void {
  const { shipping } = gateway;
  app.get(
    PATH,
    {
      schema: {
        hide: true,
        querystring: Type.Object({
          status: Type.Optional(Type.Enum([...statuses])),
          after: Type.Optional(Uuid),
        }),
      },
    },
    async (request, reply) => {
      const { status = "pending", after } = request.query;
      const [answer, banner] = await Promise.all([
        shipping.GET("/api/shipping/shipments", {
          params: { query: { status, limit: PAGE_SIZE, after } },
          headers: staffHeaders(request),
        }),
        trialBanner(gateway, request),
      ]);
      const page = requireData(answer);
      return sendOfficePage(reply, {
        title: "Parcels",
        current: PATH,
        main: html`${banner}${parcelsPage(page, status)}`,
      });
    },
  );

  const schema = {
    hide: true,
    params: Type.Object({ id: Uuid }),
    body: Type.Object({
      from: Type.String({ pattern: "^/office/(parcels|orders/[0-9a-f-]{36})$" }),
    }),
  };
  app.post("/office/shipments/:id/dispatch", { schema }, async (request, reply) => {
    const { id } = request.params;
    const options = { params: { path: { id } }, headers: staffHeaders(request) };
    requireData(await shipping.POST("/api/shipping/shipments/{id}/dispatch", options));
    return reply.redirect(request.body.from, 303);
  });
  app.post("/office/shipments/:id/deliver", { schema }, async (request, reply) => {
    const { id } = request.params;
    const options = { params: { path: { id } }, headers: staffHeaders(request) };
    requireData(await shipping.POST("/api/shipping/shipments/{id}/deliver", options));
    return reply.redirect(request.body.from, 303);
  });
}

interface ShipmentPage {
  readonly items: readonly Shipment[];
  readonly next: string | null;
}

function parcelsPage({ items, next }: ShipmentPage, shown: Status): Html {
  return html`<div class="office-head"><h1>Parcels</h1></div>
    <nav class="tabs" aria-label="By status">
      ${statuses.map(
        (status) =>
          html`<a
            href="${PATH}?status=${status}"
            ${status === shown ? html`aria-current="page"` : undefined}
            >${shipmentStatusLabels[status]}</a
          >`,
      )}
    </nav>
    ${items.length === 0 ? html`<p>No parcels.</p>` : undefined}
    <div class="parcels">${items.map((shipment) => parcelPanel(shipment, PATH))}</div>
    ${next === null ? undefined : html`<p class="pages"><a class="button small" href="${PATH}?status=${shown}&after=${next}">Next page</a></p>`}`;
}
