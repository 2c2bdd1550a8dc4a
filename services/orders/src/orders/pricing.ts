import { problem, createParser, Type, type Client, type FieldError } from "@store/kit";
import type { paths as InventoryPaths } from "@store/contracts/internal/inventory";
import type { OrderRequest } from "./schemas.ts";

/** A line of an order with the name and price from inventory. */
export interface PricedItem {
  readonly sku: string;
  readonly name: string;
  readonly quantity: number;
  readonly price: { readonly amount: number; readonly currency: string };
}

/** The fields of inventory's answer that an order relies on. They decide what is charged, so they are validated. */
const readProducts = createParser(
  Type.Object({
    items: Type.Array(
      Type.Object({
        sku: Type.String(),
        name: Type.String(),
        price: Type.Object({
          amount: Type.Integer({ minimum: 1 }),
          currency: Type.String({ pattern: "^[A-Z]{3}$" }),
        }),
        available: Type.Integer(),
      }),
    ),
  }),
);

interface PricingOptions {
  /** Maximum number of items, over all lines. */
  readonly maxItems: number;
  readonly headers: { readonly "x-request-id": string };
}

/**
 * Adds inventory's names and prices to the ordered items.
 *
 * @throws Problem with each line that can't be ordered, or with the actual total if the customer was shown another.
 */
export async function priceOrder(
  inventory: Client<InventoryPaths>,
  { items, total }: OrderRequest,
  { maxItems, headers }: PricingOptions,
): Promise<[PricedItem, ...PricedItem[]]> {
  refuseItems(repeatedSkus(items));
  refuseLargeOrder(items, maxItems);
  const { data } = await inventory.GET("/internal/products", {
    params: { query: { skus: items.map(({ sku }) => sku).join(",") } },
    headers,
  });
  const products = readProducts(data)?.items;
  if (products === undefined)
    throw new Error("inventory's answer doesn't match its OpenAPI document");
  const bySku = new Map(products.map((product) => [product.sku, product]));

  const errors: FieldError[] = [];
  const priced = items.flatMap(({ sku, quantity }, line): PricedItem[] => {
    const product = bySku.get(sku);
    const addError = (field: string, message: string) =>
      errors.push({ in: "body", pointer: `/items/${line}/${field}`, message });
    if (product === undefined) addError("sku", `there is no product ${sku}`);
    else if (product.available < quantity)
      addError("quantity", `only ${product.available} are available`);
    return product === undefined
      ? []
      : [{ sku, name: product.name, quantity, price: product.price }];
  });
  refuseItems(errors);
  const [first, ...rest] = priced;
  if (first === undefined) throw new Error("an order without lines passed the schema");
  refuseOtherCurrencies([first, ...rest]);
  if (total !== undefined) refuseOtherTotal(total, [first, ...rest]);
  return [first, ...rest];
}

/** Throws a problem if the items have different currencies, because they have no common total. */
function refuseOtherCurrencies([first, ...rest]: readonly [PricedItem, ...PricedItem[]]): void {
  const { currency } = first.price;
  const errors = rest.flatMap(({ sku, price }, index): FieldError[] => {
    const message = `${sku} is sold in ${price.currency}, but the first item in ${currency}`;
    return price.currency === currency
      ? []
      : [{ in: "body", pointer: `/items/${index + 1}/sku`, message }];
  });
  if (errors.length === 0) return;
  throw problem(
    422,
    "All items of an order must have the same currency. Place one order per currency.",
    {
      type: "currencies-differ",
      errors,
    },
  );
}

/** Sum of the items' prices, in the currency's minor unit. */
export function totalOf(items: readonly PricedItem[]): number {
  return items.reduce((sum, { quantity, price }) => sum + quantity * price.amount, 0);
}

/** Throws a problem with the actual total if the customer was shown another. */
function refuseOtherTotal(
  shown: NonNullable<OrderRequest["total"]>,
  items: readonly [PricedItem, ...PricedItem[]],
): void {
  const amount = totalOf(items);
  const { currency } = items[0].price;
  if (shown.amount === amount && shown.currency === currency) return;
  throw problem(422, `The total of this order is ${amount} ${currency} (minor units).`, {
    type: "total-differs",
    errors: [{ in: "body", pointer: "/total", message: `must be ${amount} ${currency}` }],
  });
}

/** Throws a problem if the order has too many items: until its payment is declined, it holds them, so that nobody can buy them. */
function refuseLargeOrder(items: OrderRequest["items"], maxItems: number): void {
  if (items.reduce((sum, { quantity }) => sum + quantity, 0) <= maxItems) return;
  throw problem(422, `An order can have at most ${maxItems} items. Place several orders.`, {
    type: "order-too-large",
    errors: [{ in: "body", pointer: "/items", message: `must have at most ${maxItems} items` }],
  });
}

/** Returns an error for each line whose product is in an earlier line too. */
function repeatedSkus(items: OrderRequest["items"]): FieldError[] {
  const seen = new Set<string>();
  return items.flatMap(({ sku }, line): FieldError[] => {
    if (!seen.has(sku)) {
      seen.add(sku);
      return [];
    }
    const message = `${sku} is also in an earlier line: use one line per product`;
    return [{ in: "body", pointer: `/items/${line}/sku`, message }];
  });
}

/** Throws a problem if there are errors. */
function refuseItems(errors: readonly FieldError[]): void {
  if (errors.length === 0) return;
  throw problem(422, "Some of the items can't be ordered like this.", { type: "items", errors });
}
