import { Type } from "typebox";

/** A stock-keeping unit's name, as in paths and orders. */
export const Sku = Type.String({
  pattern: "^[A-Z0-9][A-Z0-9-]{0,39}$",
  "x-message": "must be 1 to 40 capital letters, digits and hyphens, as in MUG-STONE",
  description: "Stock-keeping unit.",
  examples: ["MUG-STONE"],
});

export const Uuid = Type.String({
  pattern: "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
  "x-message": "must be a UUID in lower case",
});

/**
 * Text that people enter. Control characters and halves of surrogate pairs have no business in it, and PostgreSQL refuses
 * some of them.
 */
export function Text(maxLength: number, description?: string) {
  return Type.String({
    minLength: 1,
    maxLength,
    pattern: "^(?=.*\\S)[^\\p{Cc}\\p{Cs}]*$",
    "x-message": "must not be blank or contain control characters",
    ...(description === undefined ? {} : { description }),
  });
}
