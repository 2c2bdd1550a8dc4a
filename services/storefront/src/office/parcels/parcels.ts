import { Type, Uuid, type App } from "@store/kit";
import type { Gateway } from "../../gateway/gateway.ts";
import { html, type Html } from "../../html/html.ts";
import { sendOfficePage } from "../layout.ts";
import { parcel, type Shipment } from "./parcelPanel.ts";
import { granted, staffHeaders } from "../session.ts";

const CURRENT = "/office/parcels";
const PAGE_SIZE = 30;

const kinds = [
  { status: "pending", name: "To be packed" },
  { status: "dispatched", name: "On their way" },
  { status: "delivered", name: "Delivered" },
] as const;
type Kind = (typeof kinds)[number]["status"];

/** The parcels, and what is said of them when they leave and arrive. */
export function addParcels(app: App, { shipping }: Gateway): void {
  app.get(
    CURRENT,
    {
      schema: {
        hide: true,
        querystring: Type.Object({
          status: Type.Optional(Type.Enum(kinds.map(({ status }) => status))),
          after: Type.Optional(Uuid),
        }),
      },
    },
    async (request, reply) => {
      const { status = "pending", after } = request.query;
      const page = granted(
        await shipping.GET("/api/shipping/shipments", {
          params: { query: { status, limit: PAGE_SIZE, after } },
          headers: staffHeaders(request),
        }),
      );
      return sendOfficePage(reply, {
        title: "Parcels",
        current: CURRENT,
        main: listPage(page, status),
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
    granted(await shipping.POST("/api/shipping/shipments/{id}/dispatch", options));
    return reply.redirect(request.body.from, 303);
  });
  app.post("/office/shipments/:id/deliver", { schema }, async (request, reply) => {
    const { id } = request.params;
    const options = { params: { path: { id } }, headers: staffHeaders(request) };
    granted(await shipping.POST("/api/shipping/shipments/{id}/deliver", options));
    return reply.redirect(request.body.from, 303);
  });
}

interface ShipmentPage {
  readonly items: readonly Shipment[];
  readonly next: string | null;
}

function listPage({ items, next }: ShipmentPage, shown: Kind): Html {
  return html`<div class="office-head"><h1>Parcels</h1></div>
    <nav class="tabs" aria-label="By status">
      ${kinds.map(
        ({ status, name }) =>
          html`<a
            href="${CURRENT}?status=${status}"
            ${status === shown ? html`aria-current="page"` : undefined}
            >${name}</a
          >`,
      )}
    </nav>
    ${items.length === 0 ? html`<p>None.</p>` : undefined}
    <div class="parcels">${items.map((shipment) => parcel(shipment, CURRENT))}</div>
    ${next === null ? undefined : html`<p class="pages"><a class="button small" href="${CURRENT}?status=${shown}&after=${next}">Show more</a></p>`}`;
}
