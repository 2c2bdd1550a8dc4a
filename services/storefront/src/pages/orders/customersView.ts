import type { Order } from "../../gateway/gateway.ts";
import { isPaymentReason } from "../../office/orders/paymentAlerts.ts";

/**
 * Returns an order as its customer sees it: without the attention that it needs because of a dispute or a failed refund, which don't change
 * what the customer gets, and which concern only the store and the bank.
 */
export function customersView(order: Order): Order {
  const history = withoutRepetitions(
    order.history.filter(({ status, reason }) => !isAboutPayment(status, reason)),
  );
  const last = history.at(-1);
  if (last === undefined || !isAboutPayment(order.status, order.reason))
    return { ...order, history };
  const { status, reason } = last;
  return { ...order, status, reason, history };
}

function isAboutPayment(status: Order["status"], reason: string | undefined): boolean {
  return status === "needs_attention" && isPaymentReason(reason);
}

/** Leaves out the entries with which an order got back its status after it needed attention. */
function withoutRepetitions(history: Order["history"]): Order["history"] {
  return history.filter(({ status }, index) => status !== history[index - 1]?.status);
}
