import { Text, Type, Uuid, type Static } from "@store/kit";
import { Money, PositiveMoney } from "../money.ts";

const strict = { additionalProperties: false };

export const RefundRequest = Type.Object(
  {
    amount: Type.Optional(
      Type.Object(PositiveMoney.properties, {
        ...strict,
        description: "Defaults to the whole remaining amount.",
      }),
    ),
    reason: Type.Optional(Text(500, "Note for the staff.")),
  },
  strict,
);
export type RefundRequest = Static<typeof RefundRequest>;

export const Refund = Type.Object(
  {
    id: Uuid,
    payment: Uuid,
    amount: Money,
    status: Type.Enum(["pending", "succeeded", "failed"], {
      type: "string",
      description:
        "pending: stored, and retried automatically until it is carried out; succeeded: refunded; failed: permanently refused by the provider.",
    }),
    reason: Type.Optional(Type.String()),
    failure: Type.Optional(Type.String({ description: "The provider's reason for the failure." })),
    requestedBy: Type.Optional(
      Type.String({
        description:
          "Name of the staff token. Missing for the refund of a cancelled order, and for refunds of an earlier release.",
      }),
    ),
    createdAt: Type.String({ format: "date-time" }),
  },
  { description: "Refund of a payment or of a part of it." },
);
export type Refund = Static<typeof Refund>;

export const RestRefund = Type.Object({
  id: Uuid,
  status: Type.Enum(["refunded"], { type: "string" }),
});
