/** Final state of an order in all services. */
export interface Outcome {
  readonly status: string;
  readonly reason?: string | undefined;
  readonly history: readonly string[];
  readonly onHand: number;
  readonly held: number;
  readonly payments: readonly string[];
  readonly shipments: number;
}

/** Stock of an order's product before the order. */
export const STOCK = 5;

/** Expected final state of a successful order. */
export const confirmed: Outcome = {
  status: "confirmed",
  reason: undefined,
  history: ["pending", "confirmed"],
  onHand: STOCK - 1,
  held: 0,
  payments: ["captured"],
  shipments: 1,
};

/** Expected final state of a cancelled order; `payments`: statuses of its payments in billing. */
export function cancelled(reason: string, payments: readonly string[]): Outcome {
  return {
    status: "cancelled",
    reason,
    history: ["pending", "cancelled"],
    onHand: STOCK,
    held: 0,
    payments,
    shipments: 0,
  };
}
