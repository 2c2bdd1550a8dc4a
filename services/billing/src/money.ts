import { Type, type Static } from "@store/kit";

const strict = { additionalProperties: false };

const Amount = {
  description: "In the currency's minor unit in ISO 4217, for example cents.",
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
export const PositiveMoney = Type.Object(
  {
    amount: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, ...Amount }),
    currency: Currency,
  },
  strict,
);
