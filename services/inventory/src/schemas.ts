import { currencies, Sku, Text, Type, Uuid, type Static } from "@store/kit";

/** Maximum stock of a product. Sums over orders stay far below the maximum of PostgreSQL's integer. */
const MAX_ON_HAND = 100_000_000;
const MAX_QUANTITY = 1_000_000;
const MAX_LINES = 50;

const strict = { additionalProperties: false };

const Amount = Type.Integer({
  minimum: 1,
  maximum: 1_000_000_000,
  description: "In the currency's minor unit in ISO 4217, such as cents.",
});

const Price = Type.Object({
  amount: Amount,
  currency: Type.String({ pattern: "^[A-Z]{3}$", description: "ISO 4217.", examples: ["AUD"] }),
});

/** Price in an edit. Stricter than Price, because an early release accepted any three letters as a currency. */
const PriceEdit = Type.Object(
  {
    amount: Amount,
    currency: Type.Enum(currencies, {
      description: "ISO 4217.",
      examples: ["AUD"],
      "x-message": "must be an ISO 4217 currency code in capital letters, such as AUD",
    }),
  },
  strict,
);

const product = {
  sku: Sku,
  name: Type.String(),
  description: Type.String(),
  image: Type.String({
    description:
      "Path of a picture in this store. Products of an early release may have a URL of another site.",
  }),
  price: Price,
  available: Type.Integer({ minimum: 0, description: "Quantity that can be ordered now." }),
};

export const Product = Type.Object(product);
export type Product = Static<typeof Product>;

export const StockedProduct = Type.Object(
  {
    ...product,
    onHand: Type.Integer({ minimum: 0, description: "Quantity in stock." }),
    held: Type.Integer({ minimum: 0, description: "Part of onHand that is held for orders." }),
  },
  { description: "A product as staff see it." },
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
      description:
        "Quantity in stock, including the quantity held for orders, but without goods that are sold and not packed yet: orders (listCommitted) and shipping (listUnpacked) list them.",
    }),
    image: Type.Optional(
      Type.String({
        // A path within this store. A second slash or a backslash after the first slash would refer to another site.
        pattern: "^/([!-.0-\\[\\]-~][!-\\[\\]-~]*)?$",
        maxLength: 500,
        "x-message": "must be a path in this store, such as /api/inventory/images/MUG-STONE.svg",
        description:
          "Path of a picture in this store, starting with a single slash: pages show no pictures of other sites. If missing, an " +
          "existing product keeps its picture.",
        examples: ["/api/inventory/images/MUG-STONE.svg"],
      }),
    ),
  },
  strict,
);
export type ProductEdit = Static<typeof ProductEdit>;

const Next = Type.Union([Sku, Type.Null()], {
  description: "Value of `after` for the next page; null on the last page.",
});
export const ProductPage = Type.Object({ items: Type.Array(Product), next: Next });
const ChangedFields = Type.Object({
  name: Type.Optional(Type.String()),
  description: Type.Optional(Type.String()),
  price: Type.Optional(Price),
  onHand: Type.Optional(Type.Integer()),
  image: Type.Optional(Type.String()),
});
export type ChangedFields = Static<typeof ChangedFields>;

export const ProductChange = Type.Object(
  {
    staff: Type.String({ description: "Name of the staff token." }),
    at: Type.String({ format: "date-time" }),
    before: Type.Union([ChangedFields, Type.Null()], {
      description: "The changed fields with their previous values; null for an added product.",
    }),
    after: ChangedFields,
  },
  { description: "A change of a product by staff." },
);
export type ProductChange = Static<typeof ProductChange>;

export const StockPage = Type.Object({ items: Type.Array(StockedProduct), next: Next });

/** Default page size. */
export const PAGE = 20;

export const PageQuery = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: PAGE })),
  after: Type.Optional(Sku),
  q: Type.Optional(
    Text(
      100,
      "Words that must all occur in the product's name, description or SKU. Case-insensitive.",
    ),
  ),
});
export type PageQuery = Static<typeof PageQuery>;

/** A comma-separated list of 1 to `most` SKUs. */
export function skuList(most: number) {
  const sku = "[A-Z0-9][A-Z0-9-]{0,39}";
  return Type.String({
    pattern: `^${sku}(,${sku}){0,${most - 1}}$`,
    "x-message": `must be 1 to ${most} SKUs separated by commas, such as MUG-STONE,VASE-BUD`,
    description: `1 to ${most} SKUs separated by commas.`,
    examples: ["MUG-STONE,VASE-BUD"],
  });
}

export const ProductsQuery = Type.Object({
  ...PageQuery.properties,
  // An order has at most MAX_LINES lines.
  skus: Type.Optional({
    ...skuList(MAX_LINES),
    description: `1 to ${MAX_LINES} SKUs separated by commas. Can't be combined with other parameters. The response is one page with the existing products among them.`,
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
      { minItems: 1, maxItems: MAX_LINES, description: "One line per product." },
    ),
  },
  strict,
);
export type Lines = Static<typeof ReservationRequest>["lines"];

export const Reservation = Type.Object({
  id: Uuid,
  status: Type.Enum(["held", "committed"], { type: "string" }),
  expiresAt: Type.Union([Type.String({ format: "date-time" }), Type.Null()], {
    description: "Time at which the stock may be released; null for a committed reservation.",
  }),
});
export type Reservation = Static<typeof Reservation>;
