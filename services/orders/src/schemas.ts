import { countries, Sku, Text, Type, Uuid, type Static } from "@store/kit";

/** Lines of one order. Inventory answers for as many at once. */
const MAX_LINES = 50;
/** Of one product. Beyond this, people talk to the shop. */
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
              "x-message": "must be the two capital letters of a country in ISO 3166-1, as in AU",
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
      { minItems: 1, maxItems: MAX_LINES, description: "Each product once." },
    ),
    payment: Type.Object({ token: Text(200, "From the payment provider, for one use.") }, strict),
    total: Type.Optional(
      Type.Object(
        {
          amount: Type.Integer({
            minimum: 1,
            maximum: Number.MAX_SAFE_INTEGER,
            description: "In the currency's minor unit: cents, say.",
          }),
          currency: Type.String({ pattern: "^[A-Z]{3}$", description: "ISO 4217." }),
        },
        {
          ...strict,
          description:
            "What the customer was shown. Prices come from inventory: if it isn't what they come to, nothing is ordered.",
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
  { description: "The order is kept and will be dealt with. Its path is in the header location." },
);
export type OrderReceipt = Static<typeof OrderReceipt>;

const Money = Type.Object({
  amount: Type.Integer({ description: "In the currency's minor unit: cents, say." }),
  currency: Type.String({ description: "ISO 4217." }),
});

const Reason = Type.Optional(
  Type.String({
    description:
      "Why it ended badly, in a word for programs. Cancelled: out_of_stock, payment_declined, insufficient_funds, " +
      "invalid_token, cancelled_by_store or another. needs_attention: what was refused, as in capture_refused.",
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
    { description: "The statuses that it has had, the newest last." },
  ),
});
export type Order = Static<typeof Order>;

export const StaffOrder = Type.Object(
  {
    id: Uuid,
    status: OrderStatus,
    reason: Reason,
    total: Money,
    placedAt: Type.String({ format: "date-time" }),
    customer: Type.Object({ name: Type.String(), email: Type.String() }),
    step: Type.Enum(
      ["reserve", "authorise", "commit", "capture", "ship", "release", "void", "done"],
      {
        type: "string",
        description:
          "Where it is: goods held, payment authorised, goods taken, payment taken, shipment created; release and void: being " +
          "undone. done: there is nothing left to do.",
      },
    ),
    attempts: Type.Integer({ description: "At this step, without a definite answer." }),
    lastError: Type.Optional(Type.String({ description: "What came of the last attempt." })),
  },
  { description: "An order as the store's own people see it." },
);
export type StaffOrder = Static<typeof StaffOrder>;

export const StaffOrderPage = Type.Object({
  items: Type.Array(StaffOrder),
  next: Type.Union([Uuid, Type.Null()], {
    description: "What to give as `after` for the next page; null at the end.",
  }),
});
export type StaffOrderPage = Static<typeof StaffOrderPage>;
