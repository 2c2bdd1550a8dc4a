import type { FieldProblem } from "../../gateway/gateway.ts";
import type { FieldErrors } from "../../html/fieldErrors.ts";

/** Maps the API's errors about an order request to the fields of the checkout form. Each field gets its first error only. */
export function toFieldErrors(problems: readonly FieldProblem[]): FieldErrors {
  const errors = new Map<string, string>();
  for (const { pointer, message } of problems) {
    const [, part, index] = /^\/(items|customer|payment)\/(?:(\d+)\/)?/.exec(pointer) ?? [];
    const lastSegment = pointer.split("/").at(-1) ?? "";
    const field = part === "items" ? `item-${index ?? ""}` : lastSegment;
    if (!errors.has(field)) errors.set(field, messageFor(field, message));
  }
  return errors;
}

function messageFor(field: string, message: string): string {
  if (message === "is missing") return missingMessages[field] ?? "This field is required.";
  if (field === "email")
    return "Enter an email address in the correct format, such as ada@example.org.";
  return `This field ${message}.`;
}

const missingMessages: Record<string, string> = {
  name: "Enter your name.",
  email: "Enter your email address.",
  line1: "Enter your street address.",
  city: "Enter your town or city.",
  postcode: "Enter your postcode.",
  country: "Select a country.",
  token: "Choose a payment method.",
};
