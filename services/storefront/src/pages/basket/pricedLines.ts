import type { Request } from "@store/kit";
import type { Basket } from "./basket.ts";
import { findProducts, type Gateway, type Product } from "../../gateway/gateway.ts";
import { html, type Html } from "../../html/html.ts";
import { totals, type Money } from "../../html/money.ts";

/** A line of the basket with what the shop says of it today. */
export interface PricedLine {
  readonly sku: string;
  readonly quantity: number;
  /** `undefined` when it isn't sold any more. */
  readonly product: Product | undefined;
  /** Of the whole line. */
  readonly price: Money | undefined;
}

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

export function totalOf(lines: readonly PricedLine[]): Money[] {
  return totals(lines.flatMap(({ price }) => (price === undefined ? [] : [price])));
}

/** How many can be had where that is fewer than are wanted; `undefined` when all is well. */
export function onlyLeft({ quantity, product }: PricedLine): number | undefined {
  const available = product?.available ?? 0;
  return available < quantity ? available : undefined;
}

export function nameOf({ product, sku }: PricedLine): string {
  return product?.name ?? sku;
}

/** What a customer must know about a line that can't be had like this. */
export function trouble(line: PricedLine): Html | undefined {
  const left = onlyLeft(line);
  if (left === undefined) return undefined;
  if (line.product === undefined) return html`We no longer sell this.`;
  if (left === 0) return html`${nameOf(line)} is sold out.`;
  return html`Only ${left} of ${nameOf(line)} ${left === 1 ? "is" : "are"} left.`;
}
