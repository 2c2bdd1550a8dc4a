import type { Order } from "../../gateway/gateway.ts";

type Status = Order["status"];

interface StatusMessage {
  readonly heading: string;
  readonly text: string;
}

/** The heading and the text of an order's page. */
export function statusMessage({ status, reason }: Pick<Order, "status" | "reason">): StatusMessage {
  if (status === "cancelled") return cancelledMessages[reason ?? ""] ?? defaultCancelledMessage;
  return messages[status];
}

const messages: Record<Exclude<Status, "cancelled">, StatusMessage> = {
  pending: {
    heading: "We’ve received your order",
    text: "We’re reserving your items and processing your payment. This takes a few seconds, and this page updates automatically.",
  },
  confirmed: {
    heading: "Thank you, your order is confirmed",
    text: "Your items are reserved and paid. We’re packing your parcel, and this page will tell you when it ships.",
  },
  shipped: {
    heading: "Your parcel is on its way",
    text: "We’ve handed your parcel to the carrier.",
  },
  delivered: {
    heading: "Your parcel has been delivered",
    text: "We hope you enjoy your order.",
  },
  needs_attention: {
    heading: "We’re looking into your order",
    text: "There was a problem with your order, and our staff are looking into it. You don’t need to do anything, and you won’t be charged twice.",
  },
};

const defaultCancelledMessage: StatusMessage = {
  heading: "Your order was cancelled",
  text: "Your order couldn’t be completed. You were not charged.",
};

const cancelledMessages: Record<string, StatusMessage> = {
  out_of_stock: {
    heading: "An item has sold out",
    text: "An item in your order sold out before we could reserve it, so the order was cancelled. You were not charged.",
  },
  payment_declined: {
    heading: "Your card was declined",
    text: "Your bank declined the payment, so the order was cancelled. You were not charged. Please try another card.",
  },
  insufficient_funds: {
    heading: "Your card has insufficient funds",
    text: "Your bank declined the payment because of insufficient funds, so the order was cancelled. You were not charged. Please try another card.",
  },
  invalid_token: {
    heading: "Your card wasn’t accepted",
    text: "The bank doesn’t recognise this card, so the order was cancelled. You were not charged. Please try another card.",
  },
  expired_card: {
    heading: "Your card has expired",
    text: "Your bank declined the payment because the card has expired, so the order was cancelled. You were not charged. Please try another card.",
  },
  authentication_required: {
    heading: "Your bank requires verification",
    text: "Your bank asks you to verify this payment, which our shop doesn’t support, so the order was cancelled. You were not charged. Please try another card.",
  },
  incorrect_cvc: {
    heading: "Incorrect security code",
    text: "The card’s security code (three or four digits) was incorrect, so the order was cancelled. You were not charged. Please try again, or use another card.",
  },
  payment_failed: {
    heading: "Your payment failed",
    text: "The payment couldn’t be processed, so the order was cancelled. You were not charged. Please try again, or use another card.",
  },
  cancelled_by_store: {
    heading: "We had to cancel your order",
    text: "There was a problem on our side, so our staff cancelled the order. You were not charged.",
  },
  refunded_by_store: {
    heading: "We had to cancel your order",
    text: "There was a problem on our side, so our staff cancelled the order. We refund what you paid; it can take a few days to arrive.",
  },
};

/** One entry of the order's timeline. */
export function timelineText({ status, reason }: Pick<Order, "status" | "reason">): string {
  if (status === "cancelled")
    return `Cancelled: ${cancelledReasons[reason ?? ""] ?? "couldn’t be completed"}`;
  return timeline[status];
}

const timeline: Record<Exclude<Status, "cancelled">, string> = {
  pending: "Order received",
  confirmed: "Reserved and paid",
  shipped: "Handed to the carrier",
  delivered: "Delivered",
  needs_attention: "Under review by our staff",
};

const cancelledReasons: Record<string, string> = {
  out_of_stock: "sold out",
  payment_declined: "card declined",
  insufficient_funds: "insufficient funds",
  invalid_token: "card not accepted",
  expired_card: "card expired",
  authentication_required: "verification required by the bank",
  incorrect_cvc: "incorrect security code",
  payment_failed: "payment failed",
  cancelled_by_store: "by our staff",
  refunded_by_store: "by our staff, with a refund",
};

/** Short labels of the statuses, for lists. */
export const statusLabels: Record<Status, string> = {
  pending: "Processing",
  confirmed: "Confirmed",
  shipped: "On its way",
  delivered: "Delivered",
  cancelled: "Cancelled",
  needs_attention: "Under review",
};

/** @returns true if the status can't change any more. */
export function isFinal(status: Status): boolean {
  return status === "delivered" || status === "cancelled";
}
