import { randomUUID } from "node:crypto";
import type { Fields } from "../../http/forms.ts";
import type { OrderRequest } from "../../gateway/gateway.ts";
import type { Money } from "../../html/money.ts";
import type { Basket } from "../basket/basket.ts";

/** A submitted checkout form. */
export interface Submission {
  readonly fields: Fields;
  /** The basket as the page showed it. */
  readonly basket: Basket;
  /** Idempotency key of the order, created together with the form. */
  readonly key: string;
}

/** Creates a form with a new idempotency key and without a previous attempt. */
export function newSubmission(basket: Basket, fields: Fields): Submission {
  return { fields: { ...fields, attempt: undefined }, basket, key: randomUUID() };
}

/** Formats a total for a hidden field: `5800 AUD`, with ` + ` between currencies. */
export function writeTotal(total: readonly Money[]): string {
  return total.map(({ amount, currency }) => `${amount} ${currency}`).join(" + ");
}

/** Parses the format of {@link writeTotal}. The text is user input: invalid sums are ignored. */
export function readTotal(text = ""): Money[] {
  const sums = text.split(" + ").map((sum) => /^([1-9]\d{0,14}) ([A-Z]{3})$/.exec(sum));
  return sums.flatMap((sum) =>
    sum === null ? [] : [{ amount: Number(sum[1]), currency: sum[2] ?? "" }],
  );
}

/** Converts a form to an order. Empty fields are omitted, so that the API reports them as missing. */
export function toOrderRequest(fields: Fields, basket: Basket): OrderRequest {
  const optional = (name: string) => {
    const value = fields[name]?.trim() ?? "";
    return value === "" ? {} : { [name]: value };
  };
  const [total] = readTotal(fields["total"]);
  const request = {
    customer: {
      ...optional("name"),
      ...optional("email"),
      address: {
        ...optional("line1"),
        ...optional("line2"),
        ...optional("city"),
        ...optional("postcode"),
        ...optional("country"),
      },
    },
    items: basket.map(({ sku, quantity }) => ({ sku, quantity })),
    payment: { ...optional("token") },
    // If the basket has several currencies, the API rejects the order because it has no single total.
    ...(total === undefined ? {} : { total }),
  };
  // The API validates the order, with the same rules for every client.
  return request as OrderRequest;
}

/**
 * Reads the hidden field with the order of a previous attempt. An attempt without a total is ignored: the total proves that the
 * customer saw the price.
 */
export function readAttempt(text = ""): OrderRequest | undefined {
  try {
    const attempt = JSON.parse(text) as Partial<OrderRequest> | null;
    return attempt?.total === undefined ? undefined : (attempt as OrderRequest);
  } catch {
    return undefined;
  }
}
