import { UpstreamText, Text, Type, Uuid, type Static } from "@store/kit";

const strict = { additionalProperties: false };

const Amount = {
  description: "In the currency's minor unit, for example cents.",
  examples: [8900],
};
const Currency = Type.String({
  pattern: "^[A-Z]{3}$",
  "x-message": "must be the three capital letters of a currency in ISO 4217, as in AUD",
  description: "ISO 4217 code.",
  examples: ["AUD"],
});

/** Amount of money. May be zero: most payments have nothing refunded. */
export const Money = Type.Object(
  {
    amount: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, ...Amount }),
    currency: Currency,
  },
  strict,
);
export type Money = Static<typeof Money>;

/** Amount of money in a request: at least one minor unit. */
const PositiveMoney = Type.Object(
  {
    amount: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, ...Amount }),
    currency: Currency,
  },
  strict,
);

export const PaymentRequest = Type.Object(
  {
    order: Uuid,
    amount: PositiveMoney,
    token: UpstreamText(
      200,
      "Token that the payment provider gave the customer's browser. It isn't stored.",
    ),
  },
  strict,
);
export type PaymentRequest = Static<typeof PaymentRequest>;

const DeclineReason = Type.String({
  description:
    "Reason for the decline: declined, insufficient_funds, expired_card, authentication_required, invalid_token or another code of the provider.",
  examples: ["insufficient_funds"],
});

const PaymentMethod = Type.Object({
  token: Type.String({ description: "Token to pass as an order's payment.", examples: ["tok_ok"] }),
  name: Type.String({ description: "Label to show to customers." }),
  description: Type.String({
    description: "Sentence to show to customers about the expected outcome.",
  }),
  outcome: Type.Enum(["authorised", "declined"], {
    type: "string",
    description: "Final outcome of a payment with this method.",
  }),
  reason: Type.Optional(DeclineReason),
});

export const PaymentMethods = Type.Object(
  {
    provider: Type.String({
      description: "Name of the payment provider.",
      examples: ["simulated"],
    }),
    movesMoney: Type.Boolean({ description: "false: a trial, in which nobody is charged." }),
    methods: Type.Array(PaymentMethod, {
      description:
        "Payment methods that need nothing but their token. Empty: cards must be entered into the provider's own form, which " +
        "a front end embeds and which creates a token for one order.",
    }),
  },
  { description: "Payment methods that the store accepts." },
);
export type PaymentMethods = Static<typeof PaymentMethods>;

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
    createdAt: Type.String({ format: "date-time" }),
  },
  { description: "Refund of a payment or of a part of it." },
);
export type Refund = Static<typeof Refund>;

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
    createdAt: Type.String({ format: "date-time" }),
  },
  { description: "Payment of an order." },
);
export type Payment = Static<typeof Payment>;
