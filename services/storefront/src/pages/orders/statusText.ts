import type { Order } from "../../gateway/gateway.ts";

type Status = Order["status"];

interface Words {
  readonly heading: string;
  readonly text: string;
}

/** What a status means to the customer. */
export function wordsFor({ status, reason }: Pick<Order, "status" | "reason">): Words {
  if (status === "cancelled") return cancelled[reason ?? ""] ?? cancelledSomehow;
  return words[status];
}

const words: Record<Exclude<Status, "cancelled">, Words> = {
  pending: {
    heading: "We have your order",
    text: "We are setting your things aside and asking your bank. That takes a moment; this page will say so by itself.",
  },
  confirmed: {
    heading: "Thank you, it’s yours",
    text: "Your order is confirmed and paid. Our people pack it now, and this page says when it is on its way.",
  },
  shipped: {
    heading: "Your parcel is on its way",
    text: "It has left our hands and is on its way to yours.",
  },
  delivered: {
    heading: "Your parcel has arrived",
    text: "It was delivered. We hope that you keep it long.",
  },
  needs_attention: {
    heading: "One of us is looking into it",
    text: "Something didn’t go as it should with your order. A person takes care of it now; you need to do nothing, and you won’t be charged twice.",
  },
};

const cancelledSomehow: Words = {
  heading: "Your order couldn’t go through",
  text: "Something came in between, and the order was cancelled. You were not charged.",
};

const cancelled: Record<string, Words> = {
  out_of_stock: {
    heading: "Somebody was faster",
    text: "Something in your order sold out before we could set it aside, so it was cancelled. You were not charged.",
  },
  payment_declined: {
    heading: "Your card was declined",
    text: "The bank said no to this payment, so the order was cancelled. You were not charged. Another card may do.",
  },
  insufficient_funds: {
    heading: "There isn’t enough on this card",
    text: "The bank said that the card doesn’t cover it, so the order was cancelled. You were not charged. Another card may do.",
  },
  invalid_token: {
    heading: "This card can’t be used",
    text: "The bank doesn’t know the card, so the order was cancelled. You were not charged. Another card may do.",
  },
  expired_card: {
    heading: "This card has expired",
    text: "The bank said that the card is out of date, so the order was cancelled. You were not charged. Another card may do.",
  },
  authentication_required: {
    heading: "Your bank wanted to ask you",
    text: "The bank takes this card only after a question to you, which we can’t put here, so the order was cancelled. You were not charged. Another card may do.",
  },
  incorrect_cvc: {
    heading: "The card’s security code is wrong",
    text: "The bank didn’t take the code of three or four digits, so the order was cancelled. You were not charged. Please try again, or take another card.",
  },
  payment_failed: {
    heading: "The payment didn’t go through",
    text: "The order was cancelled. You were not charged. Please try again, or take another card.",
  },
  cancelled_by_store: {
    heading: "We had to cancel your order",
    text: "Something went wrong on our side, and one of us cancelled the order. You were not charged.",
  },
};

/** A line of the order's history. */
export function happened({ status, reason }: Pick<Order, "status" | "reason">): string {
  if (status === "cancelled")
    return `Cancelled: ${cancelledBecause[reason ?? ""] ?? "it couldn’t go through"}`;
  return history[status];
}

const history: Record<Exclude<Status, "cancelled">, string> = {
  pending: "We received your order",
  confirmed: "Set aside for you and paid",
  shipped: "Handed to the carrier",
  delivered: "Delivered",
  needs_attention: "Handed to one of our people",
};

const cancelledBecause: Record<string, string> = {
  out_of_stock: "sold out",
  payment_declined: "the card was declined",
  insufficient_funds: "not enough on the card",
  invalid_token: "the card can’t be used",
  expired_card: "the card has expired",
  authentication_required: "the bank wanted to ask its customer",
  incorrect_cvc: "the card’s security code is wrong",
  payment_failed: "the payment didn’t go through",
  cancelled_by_store: "one of us cancelled it",
};

/** One or two words for a list. */
export const shortStatus: Record<Status, string> = {
  pending: "In progress",
  confirmed: "Confirmed",
  shipped: "On its way",
  delivered: "Delivered",
  cancelled: "Cancelled",
  needs_attention: "Being looked into",
};

/** Whether nothing will change any more. */
export function isOver(status: Status): boolean {
  return status === "delivered" || status === "cancelled";
}
