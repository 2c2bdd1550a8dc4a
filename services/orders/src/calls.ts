import { createHash } from "node:crypto";
import { createParser, Type, UpstreamError, type Client } from "@store/kit";
import type { paths as BillingPaths } from "@store/contracts/internal/billing";
import type { paths as InventoryPaths } from "@store/contracts/internal/inventory";
import type { paths as ShippingPaths } from "@store/contracts/internal/shipping";

/** The services that an order goes through. */
export interface Services {
  readonly inventory: Client<InventoryPaths>;
  readonly billing: Client<BillingPaths>;
  readonly shipping: Client<ShippingPaths>;
}

type ShipmentRequest =
  ShippingPaths["/internal/shipments/{id}"]["put"]["requestBody"]["content"]["application/json"];

/** What the services are told of an order. */
export interface OrderFacts {
  readonly id: string;
  /** Of the request that placed it. */
  readonly requestId: string;
  /** Of the same, where there are traces. */
  readonly traceparent: string | null;
  readonly customer: ShipmentRequest["recipient"];
  readonly items: ShipmentRequest["lines"];
  readonly total: { readonly amount: number; readonly currency: string };
  /** Null once the payment is authorised or given up. */
  readonly paymentToken: string | null;
}

/** A definite answer. */
export interface Answer {
  /** Whether it was a 4xx. */
  readonly refused: boolean;
  /** The `status` in it; of a refusal, the type of its problem. Empty where there is none. */
  readonly word: string;
  /** Why it has that status. */
  readonly reason?: string;
  /** For people. */
  readonly text: string;
}

/**
 * Asks a service for one step of an order, under the step's id.
 *
 * @throws UpstreamError when it isn't known what came of it.
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

/** Path and headers of a call. */
function about(order: OrderFacts, thing: "reservation" | "payment" | "shipment") {
  return {
    params: { path: { id: derivedId(order.id, thing) } },
    headers: { "x-request-id": order.requestId },
  };
}

/** A UUID (version 5, RFC 9562) of the thing in the order's own namespace: the same whoever makes it, and whenever. */
export function derivedId(order: string, thing: string): string {
  const hash = createHash("sha1")
    .update(Buffer.from(order.replaceAll("-", ""), "hex"))
    .update(thing)
    .digest();
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  return hash.toString("hex", 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** What of the answers a saga relies on. They decide over money, so they are looked at and not believed. */
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
  const said = `${service} answered ${response.status}`;
  if (response.ok) {
    const { status = "", reason } = readStatus(data) ?? {};
    return {
      refused: false,
      word: status,
      ...(reason === undefined ? {} : { reason }),
      text: [said, status, reason].filter(Boolean).join(" "),
    };
  }
  // A server or a proxy that gave up waiting for our request: it may have come through all the same.
  if (response.status === 408) throw new UpstreamError(service, "answered 408", false);
  const { type = "", detail = "" } = readProblem(error) ?? {};
  const word = type.replace(/^urn:store:problem:/, "");
  // PostgreSQL keeps no NUL: with one in it, what is to be kept of the order couldn't be.
  const text = `${said} ${word}: ${detail}`.replaceAll("\0", "").slice(0, 500);
  return { refused: true, word, text };
}
