import { countries } from "@store/kit";
import type { Basket } from "../basket/basket.ts";
import type { Complaints } from "../../html/fieldErrors.ts";
import type { Fields } from "../../http/forms.ts";
import type { FieldProblem, OrderRequest } from "../../gateway/gateway.ts";
import type { Money } from "../../html/money.ts";

/** A field of the form for the address. */
export interface Field {
  readonly name: string;
  readonly label: string;
  readonly autocomplete: string;
  readonly type?: string;
  readonly optional?: boolean;
  readonly hint?: string;
  readonly maxlength: number;
}

export const contactFields: readonly Field[] = [
  { name: "name", label: "Full name", autocomplete: "name", maxlength: 200 },
  {
    name: "email",
    label: "E-mail",
    autocomplete: "email",
    type: "email",
    hint: "Only for this order.",
    maxlength: 254,
  },
];

export const addressFields: readonly Field[] = [
  { name: "line1", label: "Street and number", autocomplete: "address-line1", maxlength: 200 },
  {
    name: "line2",
    label: "Flat, floor, company",
    autocomplete: "address-line2",
    optional: true,
    maxlength: 200,
  },
  { name: "postcode", label: "Postcode", autocomplete: "postal-code", maxlength: 20 },
  { name: "city", label: "Town or city", autocomplete: "address-level2", maxlength: 100 },
];

const regions = new Intl.DisplayNames(["en-AU"], { type: "region" });

/** Countries by their names, as people look for them. */
export const countryOptions = countries
  .map((code) => ({ code, name: regions.of(code) ?? code }))
  .sort((a, b) => a.name.localeCompare(b.name, "en-AU"));

/** What a form comes to, as it says so itself: `5800 AUD`, and ` + ` between sums of several currencies. */
export function writeTotal(total: readonly Money[]): string {
  return total.map(({ amount, currency }) => `${amount} ${currency}`).join(" + ");
}

/** Reads what {@link writeTotal} writes. It comes from outside: what makes no sense is no sum at all. */
export function readTotal(text = ""): Money[] {
  const sums = text.split(" + ").map((sum) => /^([1-9]\d{0,14}) ([A-Z]{3})$/.exec(sum));
  return sums.flatMap((sum) =>
    sum === null ? [] : [{ amount: Number(sum[1]), currency: sum[2] ?? "" }],
  );
}

/** What the form's fields ask for. A field that was left empty is left out, and the API says that it is missing. */
export function toOrderRequest(fields: Fields, basket: Basket): OrderRequest {
  const given = (name: string) => {
    const value = fields[name]?.trim() ?? "";
    return value === "" ? {} : { [name]: value };
  };
  const [total] = readTotal(fields["total"]);
  const request = {
    customer: {
      ...given("name"),
      ...given("email"),
      address: {
        ...given("line1"),
        ...given("line2"),
        ...given("city"),
        ...given("postcode"),
        ...given("country"),
      },
    },
    items: basket.map(({ sku, quantity }) => ({ sku, quantity })),
    payment: { ...given("token") },
    // Of several currencies, the API says that they have no sum.
    ...(total === undefined ? {} : { total }),
  };
  // It is complete or not: that is for the API to judge, in one place for everybody who orders.
  return request as OrderRequest;
}

/** Puts what the API says of the request's fields to the form's. */
export function complaintsOf(problems: readonly FieldProblem[]): Complaints {
  const complaints = new Map<string, string>();
  for (const { pointer, message } of problems) {
    const [, part, index] = /^\/(items|customer|payment)\/(?:(\d+)\/)?/.exec(pointer) ?? [];
    const last = pointer.split("/").at(-1) ?? "";
    const field = part === "items" ? `item-${index ?? ""}` : last;
    if (!complaints.has(field)) complaints.set(field, words(field, message));
  }
  return complaints;
}

function words(field: string, message: string): string {
  if (message === "is missing") return missing[field] ?? "Please fill this in.";
  if (field === "email")
    return "This doesn’t look like an e-mail address, such as ada@example.org.";
  return `This ${message}.`;
}

const missing: Record<string, string> = {
  name: "Please tell us your name.",
  email: "Please give us an e-mail address.",
  line1: "Please tell us the street and number.",
  city: "Please tell us the town or city.",
  postcode: "Please tell us the postcode.",
  country: "Please choose a country.",
  token: "Please choose a card.",
};
