import { Type, Uuid, type App } from "@store/kit";
import type { Gateway } from "../../gateway/gateway.ts";
import { html } from "../../html/html.ts";
import { sendOfficePage, trialBanner } from "../layout.ts";
import { requireData, staffHeaders } from "../session.ts";
import { orderListPage } from "./orderListPage.ts";
import { statuses, type Status } from "./status.ts";

const PATH = "/office/orders";
const PAGE_SIZE = 30;

/** Adds the list of orders. It always starts with the orders that need attention. */
export function addOrderList(app: App, gateway: Gateway): void {
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
      const { status, after } = request.query;
      const headers = staffHeaders(request);
      const list = async (query: { status?: Status; after?: string }) =>
        requireData(
          await gateway.orders.GET("/api/orders", {
            params: { query: { limit: PAGE_SIZE, ...query } },
            headers,
          }),
        );
      const [urgent, page, banner] = await Promise.all([
        list({ status: "needs_attention" }),
        status === "needs_attention" && after === undefined ? undefined : list({ status, after }),
        trialBanner(gateway, request),
      ]);
      return sendOfficePage(reply, {
        title: "Orders",
        current: PATH,
        main: html`${banner}${orderListPage({ urgent, page, status })}`,
      });
    },
  );
}
