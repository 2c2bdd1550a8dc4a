import type { Reply, Request } from "@store/kit";
import { readCookie, writeCookie } from "../../http/cookies.ts";

export interface BasketLine {
  readonly sku: string;
  readonly quantity: number;
}

/** The customer's basket. It is stored in a cookie and nowhere else. */
export type Basket = readonly BasketLine[];

/** Maximum quantity of one product, as the orders API limits it. */
export const MAX_QUANTITY = 999;
/** Maximum number of different products, as the orders API limits it. */
export const MAX_LINES = 50;

const COOKIE = "basket";
const MAX_AGE_SECONDS = 60 * 24 * 3600;

export function readBasket(request: Request): Basket {
  return parseBasket(readCookie(request, COOKIE) ?? "");
}

export function writeBasket(reply: Reply, basket: Basket): void {
  writeCookie(reply, COOKIE, formatBasket(basket), { maxAge: MAX_AGE_SECONDS });
}

/** Parses `MUG-STONE*2~BOARD-OAK*1`. The text is user input: invalid parts are ignored. */
export function parseBasket(text: string): Basket {
  const lines = text.split("~").flatMap((part): BasketLine[] => {
    const [, sku, digits] = /^([A-Z0-9][A-Z0-9-]{0,39})\*([1-9]\d{0,2})$/.exec(part) ?? [];
    return sku === undefined ? [] : [{ sku, quantity: Number(digits) }];
  });
  return lines.reduce<Basket>(
    (basket, { sku, quantity }) => addToBasket(basket, sku, quantity) ?? basket,
    [],
  );
}

export function formatBasket(basket: Basket): string {
  return basket.map(({ sku, quantity }) => `${sku}*${quantity}`).join("~");
}

export function countItems(basket: Basket): number {
  return basket.reduce((sum, { quantity }) => sum + quantity, 0);
}

/**
 * Adds a quantity of a product, up to {@link MAX_QUANTITY} in total.
 *
 * @returns the new basket; `undefined` if the product is not in the basket, which already has {@link MAX_LINES} others.
 */
export function addToBasket(basket: Basket, sku: string, quantity: number): Basket | undefined {
  const present = quantityOf(basket, sku);
  if (present === 0 && basket.length >= MAX_LINES) return undefined;
  return present === 0
    ? [...basket, { sku, quantity: Math.min(quantity, MAX_QUANTITY) }]
    : setQuantity(basket, sku, present + quantity);
}

/** Sets the quantity of a product that is in the basket. A quantity of 0 removes it. */
export function setQuantity(basket: Basket, sku: string, quantity: number): Basket {
  return basket
    .map((line) => (line.sku === sku ? { sku, quantity: Math.min(quantity, MAX_QUANTITY) } : line))
    .filter((line) => line.quantity > 0);
}

/** Subtracts the ordered quantities from the basket. */
export function removeOrdered(basket: Basket, ordered: Basket): Basket {
  return ordered.reduce(
    (rest, { sku, quantity }) =>
      setQuantity(rest, sku, Math.max(0, quantityOf(rest, sku) - quantity)),
    basket,
  );
}

function quantityOf(basket: Basket, sku: string): number {
  return basket.find((line) => line.sku === sku)?.quantity ?? 0;
}
