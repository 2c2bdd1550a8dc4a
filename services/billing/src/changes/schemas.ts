import { Type, Uuid, type Static } from "@store/kit";
import { Money } from "../money.ts";

export const ChangeKind = Type.Enum(
  [
    "refunded",
    "refund_failed",
    "authorisation_lapsed",
    "dispute_opened",
    "dispute_won",
    "dispute_lost",
  ],
  {
    type: "string",
    description:
      "refunded: nothing is left to refund, and no refund has failed; refund_failed: a refund wasn't carried out, for the reason; " +
      "authorisation_lapsed: the provider has released the amount before the capture; dispute_opened: the customer's bank demands the " +
      "amount back; dispute_won: the store keeps it; dispute_lost: the customer has it.",
  },
);
export type ChangeKind = Static<typeof ChangeKind>;

export const PaymentChange = Type.Object(
  {
    change: Type.Integer({
      description: "Sequence number, greater than that of every earlier change.",
    }),
    cause: Type.String({
      description: "Identifies the cause. After a restoration, it may get another number.",
    }),
    payment: Uuid,
    order: Uuid,
    kind: ChangeKind,
    subject: Type.Optional(Type.String({ description: "Id of the refund or dispute." })),
    amount: Type.Optional(Money),
    reason: Type.Optional(Type.String({ description: "The provider's reason." })),
    respondBy: Type.Optional(
      Type.String({
        format: "date-time",
        description: "The provider accepts an answer to the dispute until then.",
      }),
    ),
    at: Type.String({ format: "date-time" }),
  },
  { description: "A change of a payment that concerns its order." },
);
export type PaymentChange = Static<typeof PaymentChange>;
