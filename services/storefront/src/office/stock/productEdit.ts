import type { operations } from "@store/contracts/public/inventory";
import type { FieldProblem } from "../../gateway/gateway.ts";
import { formatAmount, parseAmount } from "../../html/money.ts";
import type { Fields } from "../../http/forms.ts";

/** A product with its stock, as staff see it. */
export type StockedProduct =
  operations["getStock"]["responses"][200]["content"]["application/json"];

/** The properties of a product that staff can change. */
export type ProductEdit = NonNullable<
  operations["putProduct"]["requestBody"]
>["content"]["application/json"];

interface ParsedForm {
  /** `undefined` if the price is invalid. */
  readonly edit: ProductEdit | undefined;
  readonly errors: Map<string, string>;
}

/** Validates the product form, as far as the API's errors would not be clear enough. */
export function parseProductForm(fields: Fields): ParsedForm {
  const errors = new Map<string, string>();
  const text = (name: string) => (fields[name] ?? "").trim();
  const price = parseAmount(text("price"), text("currency"));
  if (price === undefined) {
    errors.set("price", "Enter a price such as 29.00, and a currency code of three letters.");
  }
  const onShelf = text("onHand");
  const unpacked = /^\d{1,9}$/.test(text("unpacked")) ? Number(text("unpacked")) : 0;
  if (!/^\d{1,9}$/.test(onShelf)) errors.set("onHand", "Enter a whole number, 0 or greater.");
  else if (Number(onShelf) < unpacked)
    errors.set("onHand", `${unpacked} are sold and not packed yet, so at least these are there.`);
  for (const name of ["name", "description"]) {
    if (text(name) === "") errors.set(name, "This field is required.");
  }
  const edit = price && {
    name: text("name"),
    description: text("description"),
    price,
    onHand: Number(onShelf) - unpacked,
  };
  // The API checks that the currency exists.
  return { edit: edit as ProductEdit | undefined, errors };
}

/** Maps the API's errors to the fields of the form. */
export function toFieldErrors(problems: readonly FieldProblem[]): [string, string][] {
  return problems.map(({ pointer, message }) => {
    const [, field = ""] = pointer.split("/");
    return [field, `This field ${message}.`];
  });
}

/**
 * Converts a product to the values of the form, in which "on hand" is what is on the shelf, as staff count it.
 *
 * @param unpacked Quantity that is sold and not packed yet: on the shelf, but no longer in the API's `onHand`. `undefined` if it is
 * unknown.
 */
export function toFields(
  { name, description, price, onHand }: StockedProduct,
  unpacked: number | undefined,
) {
  return {
    name,
    description,
    price: formatAmount(price),
    currency: price.currency,
    onHand: String(onHand + (unpacked ?? 0)),
    unpacked: unpacked === undefined ? "" : String(unpacked),
  };
}

/** @returns true if saving the edit would not change the product. */
export function isUnchanged(
  { name, description, price, onHand }: ProductEdit,
  current: StockedProduct,
): boolean {
  return (
    name === current.name &&
    description === current.description &&
    price.amount === current.price.amount &&
    price.currency === current.price.currency &&
    onHand === current.onHand
  );
}

/** @returns true if the text can be an ETag of inventory. Other values, such as `*`, would disable the check for conflicts. */
export function isEtag(text: string): boolean {
  return /^(W\/)?"[\x21\x23-\x7e]{1,200}"$/.test(text);
}
