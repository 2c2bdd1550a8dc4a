import type { Order } from "../../gateway/gateway.ts";
import { statusLabels } from "../../pages/orders/statusText.ts";

export type Status = Order["status"];

/** The statuses in the order of the tabs: the most urgent first. */
export const statuses: readonly Status[] = [
  "needs_attention",
  "pending",
  "confirmed",
  "shipped",
  "delivered",
  "cancelled",
];

/** Labels for staff. They differ from the customer's where staff must act. */
export const officeStatusLabels: Record<Status, string> = {
  ...statusLabels,
  needs_attention: "Needs attention",
};
