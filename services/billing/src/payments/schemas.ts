import { Type, UpstreamText, Uuid, type Static } from "@store/kit";
import { Money, PositiveMoney } from "../money.ts";
import { Refund } from "../refunds/schemas.ts";

export const PaymentRequest = Type.Object(
  {
    order: Uuid,
    amount: PositiveMoney,
    token: UpstreamText(
      200,
      "Token that the payment provider gave the customer's browser. It isn't stored.",
    ),
  },
  { additionalProperties: false },
);
export type PaymentRequest = Static<typeof PaymentRequest>;

export const DeclineReason = Type.String({
  description:
    "Reason for the decline: declined, insufficient_funds, expired_card, authentication_required, invalid_token or another code of the provider.",
  examples: ["insufficient_funds"],
});

export const Authorisation = Type.Object(
  {
    id: Uuid,
    status: Type.Enum(["authorised", "captured", "declined"], { type: "string" }),
    reason: Type.Optional(DeclineReason),
  },
  { description: "Outcome of an authorisation. A repeated request gets the same outcome." },
);
export type Authorisation = Static<typeof Authorisation>;

export const Capture = Type.Object({
  id: Uuid,
  status: Type.Enum(["captured"], { type: "string" }),
});
export const Void = Type.Object({
  id: Uuid,
  status: Type.Enum(["voided", "declined"], { type: "string" }),
});

const Dispute = Type.Object(
  {
    id: Type.String({ description: "The payment provider's own id." }),
    status: Type.Enum(["open", "won", "lost"], {
      type: "string",
      description:
        "open: the customer's bank demands the amount back; won: the store keeps it; lost: the customer has it.",
    }),
    amount: Money,
    reason: Type.String({ description: "The provider's reason.", examples: ["fraudulent"] }),
    respondBy: Type.Optional(
      Type.String({
        format: "date-time",
        description:
          "The provider accepts an answer until then. Missing if it doesn't expect one (any more).",
      }),
    ),
  },
  { description: "A dispute (chargeback or inquiry) about a payment." },
);
export type Dispute = Static<typeof Dispute>;

export const Payment = Type.Object(
  {
    id: Uuid,
    order: Uuid,
    status: Type.Enum(["pending", "authorised", "captured", "refunded", "voided", "declined"], {
      type: "string",
      description:
        "pending: outcome not known yet; authorised: held on the customer's account; captured: charged; refunded: completely refunded; " +
        "voided: released before the capture; declined: refused.",
    }),
    reason: Type.Optional(DeclineReason),
    amount: Money,
    refunded: Type.Object(Money.properties, {
      description: "Sum of the refunds, including pending ones.",
    }),
    refunds: Type.Array(Refund, { description: "Oldest first." }),
    disputes: Type.Optional(
      Type.Array(Dispute, { description: "Oldest first. Missing from earlier releases." }),
    ),
    createdAt: Type.String({ format: "date-time" }),
  },
  { description: "Payment of an order." },
);
export type Payment = Static<typeof Payment>;
