import { createHash } from "node:crypto";
import { createParser, Type, UpstreamError, type Client } from "@store/kit";
import type { paths as BillingPaths } from "@store/contracts/internal/billing";
import type { paths as InventoryPaths } from "@store/contracts/internal/inventory";
import type { paths as ShippingPaths } from "@store/contracts/internal/shipping";

/** Clients of the services that process an order. */
export interface Services {
  readonly inventory: Client<InventoryPaths>;
  readonly billing: Client<BillingPaths>;
  readonly shipping: Client<ShippingPaths>;
}

type ShipmentRequest =
  ShippingPaths["/internal/shipments/{id}"]["put"]["requestBody"]["content"]["application/json"];

/** The data of an order that other services need. */
export interface OrderFacts {
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

/** A definite answer: the service did the step or refused it. */
export interface Answer {
  /** True for a 4xx response. */
  readonly refused: boolean;
  /** `status` of the body, or the problem type of a refusal. Empty if missing. */
  readonly outcome: string;
  /** Reason for the status. */
  readonly reason?: string;
  /** Description for staff and the log. */
  readonly text: string;
}

/**
 * Calls a service for one step of an order, with the ID of that step.
 *
 * @throws UpstreamError if the outcome is unknown.
 */
export type Call = (services: Services, order: OrderFacts) => Promise<Answer>;

export const holdStock: Call = async ({ inventory }, order) =>
  answerOf(
    "inventory",
    await inventory.PUT("/internal/reservations/{id}", {
      ...about(order, "reservation"),
      body: { lines: order.items.map(({ sku, quantity }) => ({ sku, quantity })) },
    }),
  );

export const commitReservation: Call = async ({ inventory }, order) =>
  answerOf(
    "inventory",
    await inventory.POST("/internal/reservations/{id}/commit", about(order, "reservation")),
  );

export const cancelReservation: Call = async ({ inventory }, order) =>
  answerOf(
    "inventory",
    await inventory.POST("/internal/reservations/{id}/cancel", about(order, "reservation")),
  );

export const authorisePayment: Call = async ({ billing }, order) => {
  if (order.paymentToken === null) throw new Error("the payment's token was erased too early");
  return answerOf(
    "billing",
    await billing.PUT("/internal/payments/{id}", {
      ...about(order, "payment"),
      body: { order: order.id, amount: order.total, token: order.paymentToken },
    }),
  );
};

export const capturePayment: Call = async ({ billing }, order) =>
  answerOf(
    "billing",
    await billing.POST("/internal/payments/{id}/capture", about(order, "payment")),
  );

export const voidPayment: Call = async ({ billing }, order) =>
  answerOf("billing", await billing.POST("/internal/payments/{id}/void", about(order, "payment")));

export const createShipment: Call = async ({ shipping }, order) =>
  answerOf(
    "shipping",
    await shipping.PUT("/internal/shipments/{id}", {
      ...about(order, "shipment"),
      body: {
        order: order.id,
        recipient: { name: order.customer.name, address: order.customer.address },
        lines: order.items,
      },
    }),
  );

/** Path parameters and headers of a call. */
function about(order: OrderFacts, thing: "reservation" | "payment" | "shipment") {
  return {
    params: { path: { id: derivedId(order.id, thing) } },
    headers: { "x-request-id": order.requestId },
  };
}

/** A UUID (version 5, RFC 9562) with the order as namespace and `thing` as name. Deterministic, so that retries use the same ID. */
export function derivedId(order: string, thing: string): string {
  const hash = createHash("sha1")
    .update(Buffer.from(order.replaceAll("-", ""), "hex"))
    .update(thing)
    .digest();
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  return hash.toString("hex", 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** The fields of answers that the saga relies on. They decide over money, so they are validated. */
const readStatus = createParser(
  Type.Object({ status: Type.String(), reason: Type.Optional(Type.String()) }),
);
const readProblem = createParser(Type.Object({ type: Type.String(), detail: Type.String() }));

interface Response {
  readonly response: { readonly ok: boolean; readonly status: number };
  readonly data?: unknown;
  readonly error?: unknown;
}

function answerOf(service: string, { response, data, error }: Response): Answer {
  const summary = `${service} answered ${response.status}`;
  if (response.ok) {
    const { status = "", reason } = readStatus(data) ?? {};
    return {
      refused: false,
      outcome: status,
      ...(reason === undefined ? {} : { reason }),
      text: [summary, status, reason].filter(Boolean).join(" "),
    };
  }
  // The server or a proxy timed out waiting for our request, which may have been processed all the same.
  if (response.status === 408) throw new UpstreamError(service, "answered 408", false);
  const { type = "", detail = "" } = readProblem(error) ?? {};
  const outcome = type.replace(/^urn:store:problem:/, "");
  // PostgreSQL rejects NUL in text: the order's progress couldn't be saved.
  const text = `${summary} ${outcome}: ${detail}`.replaceAll("\0", "").slice(0, 500);
  return { refused: true, outcome, text };
}
