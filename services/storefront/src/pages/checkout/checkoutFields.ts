import { countries } from "@store/kit";

/** A text field of the checkout form. */
export interface Field {
  readonly name: string;
  readonly label: string;
  readonly autocomplete: string;
  /** Type of the input element. @default "text" */
  readonly type?: string;
  /** @default false */
  readonly optional?: boolean;
  readonly hint?: string;
  readonly maxlength: number;
}

export const contactFields: readonly Field[] = [
  { name: "name", label: "Full name", autocomplete: "name", maxlength: 200 },
  {
    name: "email",
    label: "Email",
    autocomplete: "email",
    type: "email",
    hint: "We only use it for this order.",
    maxlength: 254,
  },
];

export const addressFields: readonly Field[] = [
  { name: "line1", label: "Street address", autocomplete: "address-line1", maxlength: 200 },
  {
    name: "line2",
    label: "Apartment, floor or company",
    autocomplete: "address-line2",
    optional: true,
    maxlength: 200,
  },
  { name: "postcode", label: "Postcode", autocomplete: "postal-code", maxlength: 20 },
  { name: "city", label: "Town or city", autocomplete: "address-level2", maxlength: 100 },
];

const regions = new Intl.DisplayNames(["en-AU"], { type: "region" });

/** Countries for the select field, sorted by name. */
export const countryOptions = countries
  .map((code) => ({ code, name: regions.of(code) ?? code }))
  .sort((a, b) => a.name.localeCompare(b.name, "en-AU"));

export function fieldLabel(name: string): string {
  const field = [...contactFields, ...addressFields].find((field) => field.name === name);
  return field?.label ?? { country: "Country", token: "Payment" }[name] ?? name;
}
