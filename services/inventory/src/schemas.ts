import { currencies, Sku, Text, Type, Uuid, type Static } from "@store/kit";

/** So many of a product that sums over orders stay far inside PostgreSQL's integer. */
const MAX_ON_HAND = 100_000_000;
const MAX_QUANTITY = 1_000_000;
const MAX_LINES = 50;

const strict = { additionalProperties: false };

const Amount = Type.Integer({
  minimum: 1,
  maximum: 1_000_000_000,
  description: "In the currency's minor unit: cents, say.",
});

const Price = Type.Object({
  amount: Amount,
  currency: Type.String({ pattern: "^[A-Z]{3}$", description: "ISO 4217.", examples: ["AUD"] }),
});

/** An early release took any three letters for a currency. */
const PriceEdit = Type.Object(
  {
    amount: Amount,
    currency: Type.Enum(currencies, {
      description: "ISO 4217.",
      examples: ["AUD"],
      "x-message": "must be the three capital letters of a currency in ISO 4217, as in AUD",
    }),
  },
  strict,
);

const product = {
  sku: Sku,
  name: Type.String(),
  description: Type.String(),
  image: Type.String({
    description: "Path of a picture in this store. An early release took URLs of other sites, too.",
  }),
  price: Price,
  available: Type.Integer({ minimum: 0, description: "How many can be ordered now." }),
};

export const Product = Type.Object(product);
export type Product = Static<typeof Product>;

export const StockedProduct = Type.Object(
  {
    ...product,
    onHand: Type.Integer({ minimum: 0, description: "How many are on the shelf." }),
    held: Type.Integer({ minimum: 0, description: "How many of these are held for orders." }),
  },
  { description: "A product as the store's own people see it." },
);
export type StockedProduct = Static<typeof StockedProduct>;

export const ProductEdit = Type.Object(
  {
    name: Text(200),
    description: Text(2_000),
    price: PriceEdit,
    onHand: Type.Integer({
      minimum: 0,
      maximum: MAX_ON_HAND,
      description: "How many are on the shelf now, with those that are held for orders.",
    }),
    image: Type.Optional(
      Type.String({
        // Pages show no other site's pictures. Two slashes, or one and a backslash, lead to another site.
        pattern: "^/([!-.0-\\[\\]-~][!-\\[\\]-~]*)?$",
        maxLength: 500,
        "x-message": "must be a path of this store, as in /api/inventory/images/MUG-STONE.svg",
        description:
          "Path of a picture in this store, with one slash at its beginning: pages show no other site's. Where it is missing, a " +
          "product keeps its own.",
        examples: ["/api/inventory/images/MUG-STONE.svg"],
      }),
    ),
  },
  strict,
);
export type ProductEdit = Static<typeof ProductEdit>;

const Next = Type.Union([Sku, Type.Null()], {
  description: "What to give as `after` for the next page; null at the end.",
});
export const ProductPage = Type.Object({ items: Type.Array(Product), next: Next });
export const StockPage = Type.Object({ items: Type.Array(StockedProduct), next: Next });

/** Products on a page where the caller doesn't say how many. */
export const PAGE = 20;

export const PageQuery = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: PAGE })),
  after: Type.Optional(Sku),
  q: Type.Optional(
    Text(100, "Words that must all be in the product's name, description or SKU, in any case."),
  ),
});
export type PageQuery = Static<typeof PageQuery>;

/** So many SKUs with commas between them. */
export function skuList(most: number) {
  const sku = "[A-Z0-9][A-Z0-9-]{0,39}";
  return Type.String({
    pattern: `^${sku}(,${sku}){0,${most - 1}}$`,
    "x-message": `must be 1 to ${most} SKUs with commas between them, as in MUG-STONE,VASE-BUD`,
    description: `1 to ${most} SKUs with commas between them.`,
    examples: ["MUG-STONE,VASE-BUD"],
  });
}

export const ProductsQuery = Type.Object({
  ...PageQuery.properties,
  // As many as an order has lines.
  skus: Type.Optional({
    ...skuList(MAX_LINES),
    description: `Alone: 1 to ${MAX_LINES} SKUs with commas between them. The answer is one page with those of them that there are.`,
  }),
});
export type ProductsQuery = Static<typeof ProductsQuery>;

export const ReservationRequest = Type.Object(
  {
    lines: Type.Array(
      Type.Object(
        { sku: Sku, quantity: Type.Integer({ minimum: 1, maximum: MAX_QUANTITY }) },
        strict,
      ),
      { minItems: 1, maxItems: MAX_LINES, description: "Each product once." },
    ),
  },
  strict,
);
export type Lines = Static<typeof ReservationRequest>["lines"];

export const Reservation = Type.Object({
  id: Uuid,
  status: Type.Enum(["held", "committed"], { type: "string" }),
  expiresAt: Type.Union([Type.String({ format: "date-time" }), Type.Null()], {
    description: "From when on the stock may be somebody else's; null once it is committed.",
  }),
});
export type Reservation = Static<typeof Reservation>;
