import type { Request } from "@store/kit";
import { findProducts, type Gateway, type Product } from "../../gateway/gateway.ts";
import { html, type Html } from "../../html/html.ts";
import { sumByCurrency, type Money } from "../../html/money.ts";
import type { Basket } from "./basket.ts";

/** A line of the basket with the product's current price and stock. */
export interface PricedLine {
  readonly sku: string;
  readonly quantity: number;
  /** `undefined` if the product is no longer in the catalogue. */
  readonly product: Product | undefined;
  /** Price of the whole line; `undefined` if the product is no longer in the catalogue. */
  readonly price: Money | undefined;
}

/** Looks up the products of a basket, all with one request. */
export async function priceLines(
  gateway: Gateway,
  request: Request,
  basket: Basket,
): Promise<PricedLine[]> {
  const products = await findProducts(
    gateway,
    request,
    basket.map(({ sku }) => sku),
  );
  return basket.map(({ sku, quantity }) => {
    const product = products.get(sku);
    const price = product && { ...product.price, amount: product.price.amount * quantity };
    return { sku, quantity, product, price };
  });
}

/** @returns one total for each currency in the basket. */
export function totalOf(lines: readonly PricedLine[]): Money[] {
  return sumByCurrency(lines.flatMap(({ price }) => (price === undefined ? [] : [price])));
}

/** @returns the available quantity if it is less than the line's quantity; otherwise `undefined`. */
export function reducedQuantity({ quantity, product }: PricedLine): number | undefined {
  const available = product?.available ?? 0;
  return available < quantity ? available : undefined;
}

export function lineName({ product, sku }: PricedLine): string {
  return product?.name ?? sku;
}

/** A message for the customer if the line isn't available in its quantity; otherwise `undefined`. */
export function unavailableText(line: PricedLine): Html | undefined {
  const available = reducedQuantity(line);
  if (available === undefined) return undefined;
  const name = lineName(line);
  if (line.product === undefined) return html`${name} is no longer available.`;
  if (available === 0) return html`${name} is sold out.`;
  return html`${name}: only ${available} left in stock.`;
}
