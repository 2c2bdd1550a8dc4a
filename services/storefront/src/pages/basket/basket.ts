import type { Reply, Request } from "@store/kit";
import { readCookie, writeCookie } from "../../http/cookies.ts";

export interface Line {
  readonly sku: string;
  readonly quantity: number;
}

/** What somebody wants to buy. It lives in their browser and nowhere else. */
export type Basket = readonly Line[];

/** What an order takes: of one product, and of different ones. */
export const MOST_OF_ONE = 999;
export const MOST_LINES = 50;

const COOKIE = "basket";
const KEPT_SECONDS = 60 * 24 * 3600;

export function readBasket(request: Request): Basket {
  return parseBasket(readCookie(request, COOKIE) ?? "");
}

export function writeBasket(reply: Reply, basket: Basket): void {
  writeCookie(reply, COOKIE, formatBasket(basket), { maxAge: KEPT_SECONDS });
}

/** Reads `MUG-STONE*2~BOARD-OAK*1`. It comes from outside: what makes no sense in it is left out. */
export function parseBasket(text: string): Basket {
  const lines = text.split("~").flatMap((part): Line[] => {
    const [, sku, digits] = /^([A-Z0-9][A-Z0-9-]{0,39})\*([1-9]\d{0,2})$/.exec(part) ?? [];
    return sku === undefined ? [] : [{ sku, quantity: Number(digits) }];
  });
  return lines.reduce<Basket>(
    (basket, { sku, quantity }) => withMore(basket, sku, quantity) ?? basket,
    [],
  );
}

export function formatBasket(basket: Basket): string {
  return basket.map(({ sku, quantity }) => `${sku}*${quantity}`).join("~");
}

export function countThings(basket: Basket): number {
  return basket.reduce((sum, { quantity }) => sum + quantity, 0);
}

/** @returns the basket with so many more of a product; `undefined` when it has {@link MOST_LINES} others already. */
export function withMore(basket: Basket, sku: string, quantity: number): Basket | undefined {
  const had = basket.find((line) => line.sku === sku)?.quantity ?? 0;
  if (had === 0 && basket.length >= MOST_LINES) return undefined;
  return had === 0
    ? [...basket, { sku, quantity: Math.min(quantity, MOST_OF_ONE) }]
    : withQuantity(basket, sku, had + quantity);
}

/** @returns the basket with this many of a product that is in it; 0 takes it out. */
export function withQuantity(basket: Basket, sku: string, quantity: number): Basket {
  return basket
    .map((line) => (line.sku === sku ? { sku, quantity: Math.min(quantity, MOST_OF_ONE) } : line))
    .filter((line) => line.quantity > 0);
}

/** @returns what is left of the basket once these were ordered. */
export function without(basket: Basket, ordered: Basket): Basket {
  return ordered.reduce((left, { sku, quantity }) => {
    const had = left.find((line) => line.sku === sku)?.quantity ?? 0;
    return withQuantity(left, sku, Math.max(0, had - quantity));
  }, basket);
}
