import { problem, type Reply } from "@store/kit";
import { findOrder, type Gateway } from "../../gateway/gateway.ts";
import { html } from "../../html/html.ts";
import { sendOfficePage, trialBanner } from "../layout.ts";
import { requireData, staffHeaders } from "../session.ts";
import { orderPage, type Messages } from "./orderPage.ts";

/** Sends the page of one order with its payments and parcels. */
export async function sendOrder(
  gateway: Gateway,
  reply: Reply,
  id: string,
  messages: Messages,
): Promise<Reply> {
  const { request } = reply;
  const headers = staffHeaders(request);
  const query = { order: id };
  const [order, payments, shipments, actions, listed, banner] = await Promise.all([
    findOrder(gateway, request, id),
    gateway.billing.GET("/api/billing/payments", { params: { query }, headers }),
    gateway.shipping.GET("/api/shipping/shipments", { params: { query }, headers }),
    gateway.orders.GET("/api/orders/{id}/staff-actions", { params: { path: { id } }, headers }),
    gateway.orders.GET("/api/orders", { params: { query }, headers }),
    trialBanner(gateway, request),
  ]);
  // Check the token before anything else: without it, the response must not reveal which orders exist.
  const details = {
    payments: requireData(payments).items,
    shipments: requireData(shipments).items,
    actions: requireData(actions).items,
    // During a rollout, an earlier release of orders lists others, too.
    alerts: requireData(listed).items.find((item) => item.id === id)?.alerts ?? [],
  };
  if (order === undefined) throw problem(404, "There is no such order.");
  return sendOfficePage(reply, {
    title: "Order",
    current: "/office/orders",
    main: html`${banner}${orderPage({ order, ...details }, messages)}`,
  });
}
