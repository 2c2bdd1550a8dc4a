import { createHash } from "node:crypto";
import type { Client } from "@store/kit";
import type { paths as BillingPaths } from "@store/contracts/internal/billing";
import type { paths as InventoryPaths } from "@store/contracts/internal/inventory";
import type { paths as ShippingPaths } from "@store/contracts/internal/shipping";
import { answerOf, type Answer } from "./answers.ts";

/** Clients of the services that process an order. */
export interface Services {
  readonly inventory: Client<InventoryPaths>;
  readonly billing: Client<BillingPaths>;
  readonly shipping: Client<ShippingPaths>;
}

type ShipmentRequest =
  ShippingPaths["/internal/shipments/{id}"]["put"]["requestBody"]["content"]["application/json"];

/** The data of an order that other services need. */
export interface OrderData {
  readonly id: string;
  /** ID of the request that placed the order. */
  readonly requestId: string;
  /** Trace context of the request that placed the order; null without tracing. */
  readonly traceparent: string | null;
  readonly customer: ShipmentRequest["recipient"];
  readonly items: ShipmentRequest["lines"];
  readonly total: { readonly amount: number; readonly currency: string };
  /** Null after the payment was authorised or the order's cancellation began. */
  readonly paymentToken: string | null;
}

/**
 * Calls a service for one step of an order, with the ID of that step.
 *
 * @throws UpstreamError if the outcome is unknown.
 */
export type Call = (services: Services, order: OrderData) => Promise<Answer>;

export const holdStock: Call = async ({ inventory }, order) =>
  answerOf(
    "inventory",
    await inventory.PUT("/internal/reservations/{id}", {
      ...requestFor(order, "reservation"),
      body: { lines: order.items.map(({ sku, quantity }) => ({ sku, quantity })) },
    }),
  );

export const commitReservation: Call = async ({ inventory }, order) =>
  answerOf(
    "inventory",
    await inventory.POST("/internal/reservations/{id}/commit", requestFor(order, "reservation")),
  );

export const cancelReservation: Call = async ({ inventory }, order) =>
  answerOf(
    "inventory",
    await inventory.POST("/internal/reservations/{id}/cancel", requestFor(order, "reservation")),
  );

export const returnReservation: Call = async ({ inventory }, order) =>
  answerOf(
    "inventory",
    await inventory.POST("/internal/reservations/{id}/return", requestFor(order, "reservation")),
  );

export const validatePaymentMethod: Call = async ({ billing }, order) => {
  const answer = await billing.POST("/internal/payments/{id}/validate", {
    ...requestFor(order, "payment"),
    body: { token: requireToken(order) },
  });
  // Billing's previous release doesn't know the request, during a rollout: the authorisation will tell.
  if (answer.response.status === 404)
    return { refused: false, outcome: "usable", text: "billing answered 404" };
  return answerOf("billing", answer);
};

export const authorisePayment: Call = async ({ billing }, order) =>
  answerOf(
    "billing",
    await billing.PUT("/internal/payments/{id}", {
      ...requestFor(order, "payment"),
      body: { order: order.id, amount: order.total, token: requireToken(order) },
    }),
  );

export const capturePayment: Call = async ({ billing }, order) =>
  answerOf(
    "billing",
    await billing.POST("/internal/payments/{id}/capture", requestFor(order, "payment")),
  );

export const voidPayment: Call = async ({ billing }, order) =>
  answerOf(
    "billing",
    await billing.POST("/internal/payments/{id}/void", requestFor(order, "payment")),
  );

export const createShipment: Call = async ({ shipping }, order) =>
  answerOf(
    "shipping",
    await shipping.PUT("/internal/shipments/{id}", {
      ...requestFor(order, "shipment"),
      body: {
        order: order.id,
        recipient: { name: order.customer.name, address: order.customer.address },
        lines: order.items,
      },
    }),
  );

export const cancelShipment: Call = async ({ shipping }, order) =>
  answerOf(
    "shipping",
    await shipping.POST("/internal/shipments/{id}/cancel", {
      ...requestFor(order, "shipment"),
      body: { order: order.id },
    }),
  );

export const refundPayment: Call = async ({ billing }, order) =>
  answerOf(
    "billing",
    await billing.POST("/internal/payments/{id}/refund", requestFor(order, "payment")),
  );

function requireToken({ paymentToken }: OrderData): string {
  if (paymentToken === null) throw new Error("the payment's token was erased too early");
  return paymentToken;
}

/** Returns the path parameters and headers of a call. */
function requestFor(order: OrderData, resource: "reservation" | "payment" | "shipment") {
  return {
    params: { path: { id: derivedId(order.id, resource) } },
    headers: { "x-request-id": order.requestId },
  };
}

/** Returns a UUID (version 5, RFC 9562) with the order as namespace and the resource as name. Deterministic: each retry of a step uses the same ID. */
export function derivedId(order: string, resource: string): string {
  const hash = createHash("sha1")
    .update(Buffer.from(order.replaceAll("-", ""), "hex"))
    .update(resource)
    .digest();
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  return hash.toString("hex", 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
