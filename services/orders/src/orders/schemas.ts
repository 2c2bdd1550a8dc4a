import { countries, Sku, Text, Type, Uuid, type Static } from "@store/kit";

/** Maximum number of lines of an order. Equals inventory's limit per request. */
const MAX_LINES = 50;
/** Maximum quantity of one product per order. */
const MAX_QUANTITY = 999;

const strict = { additionalProperties: false };

export const OrderRequest = Type.Object(
  {
    customer: Type.Object(
      {
        name: Text(200),
        email: Type.String({
          format: "email",
          maxLength: 254,
          "x-message": "must be an e-mail address",
        }),
        address: Type.Object(
          {
            line1: Text(200),
            line2: Type.Optional(Text(200)),
            city: Text(100),
            postcode: Text(20),
            country: Type.Enum(countries, {
              description: "ISO 3166-1.",
              "x-message": "must be an ISO 3166-1 country code of two capital letters, such as AU",
            }),
          },
          strict,
        ),
      },
      strict,
    ),
    items: Type.Array(
      Type.Object(
        { sku: Sku, quantity: Type.Integer({ minimum: 1, maximum: MAX_QUANTITY }) },
        strict,
      ),
      { minItems: 1, maxItems: MAX_LINES, description: "One line per product." },
    ),
    payment: Type.Object(
      { token: Text(200, "Single-use token from the payment provider.") },
      strict,
    ),
    total: Type.Optional(
      Type.Object(
        {
          amount: Type.Integer({
            minimum: 1,
            maximum: Number.MAX_SAFE_INTEGER,
            description: "In the currency's minor unit in ISO 4217, such as cents.",
          }),
          currency: Type.String({ pattern: "^[A-Z]{3}$", description: "ISO 4217." }),
        },
        {
          ...strict,
          description:
            "Total that the customer was shown. The order is refused if the total of inventory's prices differs.",
        },
      ),
    ),
  },
  strict,
);
export type OrderRequest = Static<typeof OrderRequest>;

export const OrderStatus = Type.Enum([
  "pending",
  "confirmed",
  "shipped",
  "delivered",
  "cancelled",
  "needs_attention",
]);
export type OrderStatus = Static<typeof OrderStatus>;

export const OrderReceipt = Type.Object(
  { id: Uuid, status: OrderStatus },
  { description: "The order is stored and will be processed. The location header has its path." },
);
export type OrderReceipt = Static<typeof OrderReceipt>;

export const Money = Type.Object({
  amount: Type.Integer({ description: "In the currency's minor unit in ISO 4217, such as cents." }),
  currency: Type.String({ description: "ISO 4217." }),
});

export const Reason = Type.Optional(
  Type.String({
    description:
      "Machine-readable reason for the status. cancelled: out_of_stock, payment_declined, insufficient_funds, " +
      "invalid_token, cancelled_by_store, refunded_by_store or another. needs_attention: the refused step, such as capture_refused, or dispute_opened, dispute_lost or refund_failed.",
    examples: ["out_of_stock"],
  }),
);

export const Order = Type.Object({
  id: Uuid,
  status: OrderStatus,
  reason: Reason,
  items: Type.Array(
    Type.Object({ sku: Sku, name: Type.String(), quantity: Type.Integer(), price: Money }),
  ),
  total: Money,
  placedAt: Type.String({ format: "date-time" }),
  history: Type.Array(
    Type.Object({
      status: OrderStatus,
      reason: Reason,
      at: Type.String({ format: "date-time" }),
    }),
    { description: "All statuses of the order, newest last." },
  ),
});
export type Order = Static<typeof Order>;
