import { Type, Uuid, type Static } from "@store/kit";
import { Money, OrderStatus, Reason } from "../orders/schemas.ts";

const PaymentAlert = Type.Object(
  {
    id: Type.Integer({ description: "Increases from alert to alert." }),
    kind: Type.Enum(["dispute_opened", "dispute_lost", "refund_failed"], {
      type: "string",
      description:
        "dispute_opened: the customer's bank demands the amount back; dispute_lost: the customer has it; " +
        "refund_failed: it wasn't refunded, for the reason.",
    }),
    subject: Type.String({
      description: "Id of the dispute at the payment provider, or of the refund.",
    }),
    amount: Type.Optional(Money),
    reason: Type.Optional(
      Type.String({
        description:
          "The payment provider's reason. dispute_won: it refused a refund because of a dispute that the store has won since.",
      }),
    ),
    respondBy: Type.Optional(
      Type.String({
        format: "date-time",
        description: "The provider accepts an answer to the dispute until then.",
      }),
    ),
    at: Type.String({ format: "date-time" }),
  },
  { description: "Why staff must look after the payment of an order." },
);
export type PaymentAlert = Static<typeof PaymentAlert>;

export const StaffOrder = Type.Object(
  {
    id: Uuid,
    status: OrderStatus,
    reason: Reason,
    total: Money,
    placedAt: Type.String({ format: "date-time" }),
    customer: Type.Object({ name: Type.String(), email: Type.String() }),
    step: Type.Enum(
      [
        ...["reserve", "authorise", "commit", "capture", "ship"],
        ...["release", "void", "revoke", "return", "unship", "refund", "done"],
      ],
      {
        type: "string",
        description:
          "Current step: hold goods, authorise payment, commit goods, capture payment, create shipment; release and void: " +
          "cancellation; revoke and return: cancellation after the goods were committed; unship, refund and return: cancellation after the payment was captured. done: nothing left to do.",
      },
    ),
    attempts: Type.Integer({ description: "Attempts at this step without a definite answer." }),
    lastError: Type.Optional(Type.String({ description: "Error of the last attempt." })),
    alerts: Type.Optional(
      Type.Array(PaymentAlert, {
        description: "Alerts about the payment, oldest first. Missing if there are none.",
      }),
    ),
  },
  { description: "An order as staff see it." },
);
export type StaffOrder = Static<typeof StaffOrder>;

export const StaffAction = Type.Object(
  {
    action: Type.Enum(["retry", "cancel", "resolve"], { type: "string" }),
    staff: Type.String({ description: "Name of the staff token." }),
    at: Type.String({ format: "date-time" }),
  },
  { description: "An action of staff on an order." },
);
export type StaffAction = Static<typeof StaffAction>;

export const StaffOrderPage = Type.Object({
  items: Type.Array(StaffOrder),
  next: Type.Union([Uuid, Type.Null()], {
    description: "Value of `after` for the next page; null on the last page.",
  }),
});
export type StaffOrderPage = Static<typeof StaffOrderPage>;
