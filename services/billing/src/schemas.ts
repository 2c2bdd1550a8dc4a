import { UpstreamText, Text, Type, Uuid, type Static } from "@store/kit";

const strict = { additionalProperties: false };

const Amount = { description: "In the currency's minor unit: cents, say.", examples: [8900] };
const Currency = Type.String({
  pattern: "^[A-Z]{3}$",
  "x-message": "must be the three capital letters of a currency in ISO 4217, as in AUD",
  description: "ISO 4217.",
  examples: ["AUD"],
});

/** Of what is there. Nothing is paid back yet of most payments. */
export const Money = Type.Object(
  {
    amount: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, ...Amount }),
    currency: Currency,
  },
  strict,
);
export type Money = Static<typeof Money>;

/** Of what is asked for: nothing is sold for nothing. */
const MoneyAsked = Type.Object(
  {
    amount: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, ...Amount }),
    currency: Currency,
  },
  strict,
);

export const PaymentRequest = Type.Object(
  {
    order: Uuid,
    amount: MoneyAsked,
    token: UpstreamText(200, "What the payment provider gave the customer's browser. It isn't kept."),
  },
  strict,
);
export type PaymentRequest = Static<typeof PaymentRequest>;

const DeclineReason = Type.String({
  description:
    "Why it was declined: declined, insufficient_funds, expired_card, authentication_required, invalid_token or another word of the provider's.",
  examples: ["insufficient_funds"],
});

const PaymentMethod = Type.Object({
  token: Type.String({ description: "What an order gives as its payment.", examples: ["tok_ok"] }),
  name: Type.String({ description: "For people, as short as a label." }),
  description: Type.String({ description: "For people: what comes of it, in a sentence." }),
  outcome: Type.Enum(["authorised", "declined"], {
    type: "string",
    description: "What comes of it in the end.",
  }),
  reason: Type.Optional(DeclineReason),
});

export const PaymentMethods = Type.Object(
  {
    provider: Type.String({ description: "Who takes the money.", examples: ["simulated"] }),
    movesMoney: Type.Boolean({ description: "false: it is a trial, and nobody pays anything." }),
    methods: Type.Array(PaymentMethod, {
      description:
        "What anybody can pay with by its token alone. Empty: cards are entered into the provider's own form, by a front end " +
        "that loads it, and that form makes the token for one order.",
    }),
  },
  { description: "What the store takes as a payment." },
);
export type PaymentMethods = Static<typeof PaymentMethods>;

export const Authorisation = Type.Object(
  {
    id: Uuid,
    status: Type.Enum(["authorised", "captured", "declined"], { type: "string" }),
    reason: Type.Optional(DeclineReason),
  },
  { description: "What came of asking for the money. It stays, however often it is asked for." },
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
      Type.Object(MoneyAsked.properties, {
        ...strict,
        description: "All that is left where it isn't said.",
      }),
    ),
    reason: Type.Optional(Text(500, "For the store's own people.")),
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
        "pending: kept, and will be carried out without being asked again; succeeded: paid back; failed: refused by the provider for good.",
    }),
    reason: Type.Optional(Type.String()),
    failure: Type.Optional(Type.String({ description: "Why it failed, by the provider." })),
    createdAt: Type.String({ format: "date-time" }),
  },
  { description: "What a customer is paid back." },
);
export type Refund = Static<typeof Refund>;

export const Payment = Type.Object(
  {
    id: Uuid,
    order: Uuid,
    status: Type.Enum(["pending", "authorised", "captured", "refunded", "voided", "declined"], {
      type: "string",
      description:
        "pending: not known yet; authorised: held on the customer's account; captured: taken; refunded: all of it paid back; " +
        "voided: given up before it was taken; declined: refused.",
    }),
    reason: Type.Optional(DeclineReason),
    amount: Money,
    refunded: Type.Object(Money.properties, {
      description: "The sum of its refunds, those on their way included.",
    }),
    refunds: Type.Array(Refund, { description: "Oldest first." }),
    createdAt: Type.String({ format: "date-time" }),
  },
  { description: "What was asked of a customer for an order, and what came of it." },
);
export type Payment = Static<typeof Payment>;
