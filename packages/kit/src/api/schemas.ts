import { Type } from "typebox";

/** The name of a stock-keeping unit, as in paths and orders. */
export const Sku = Type.String({
  pattern: "^[A-Z0-9][A-Z0-9-]{0,39}$",
  "x-message": "must be 1 to 40 capital letters, digits and hyphens, as in MUG-STONE",
  description: "Stock-keeping unit.",
  examples: ["MUG-STONE"],
});

/** A comma-separated list of SKUs. */
export const SkuList = Type.String({
  pattern: "^[A-Z0-9][A-Z0-9-]{0,39}(,[A-Z0-9][A-Z0-9-]{0,39}){0,49}$",
  "x-message": "must be 1 to 50 SKUs separated by commas, such as MUG-STONE,VASE-BUD",
  description: "1 to 50 SKUs separated by commas.",
  examples: ["MUG-STONE,VASE-BUD"],
});

const UUID = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";

export const Uuid = Type.String({ pattern: UUID, "x-message": "must be a UUID in lower case" });

const uuid = new RegExp(UUID);

/** Returns true if {@link Uuid} accepts the text. */
export function isUuid(text: string): boolean {
  return uuid.test(text);
}

const IDEMPOTENCY_KEY = "^[\\x21-\\x7e]{1,255}$";

/** A key that the caller chooses for a request, to identify repeated requests. */
export const IdempotencyKey = Type.String({
  pattern: IDEMPOTENCY_KEY,
  "x-message": "must be 1 to 255 visible ASCII characters, a UUID say",
});

const idempotencyKey = new RegExp(IDEMPOTENCY_KEY);

/** Returns true if {@link IdempotencyKey} accepts the text. */
export function isIdempotencyKey(text: string): boolean {
  return idempotencyKey.test(text);
}

/**
 * Text that people enter. It must contain a visible character; the fillers of Hangul and Braille are classified as letters and symbols
 * but are invisible. Control characters, unpaired surrogates, line breaks and overrides of the text direction are rejected. Joiners and
 * direction marks are allowed, because languages and emoji need them.
 */
export function Text(maxLength: number, description?: string) {
  return Type.String({
    minLength: 1,
    maxLength,
    pattern:
      "^(?=.*(?![\\u115f\\u1160\\u2800\\u3164\\uffa0])[\\p{L}\\p{N}\\p{P}\\p{S}])" +
      "[^\\p{Cc}\\p{Cs}\\p{Zl}\\p{Zp}\\u202a-\\u202e\\u2066-\\u2069]*$",
    "x-message": "must contain a visible character and no control characters",
    ...(description === undefined ? {} : { description }),
  });
}

/**
 * Text that another service has already accepted from people. Rejecting it here would block an accepted order, so it is validated no
 * more strictly than by the first release of {@link Text}.
 */
export function UpstreamText(maxLength: number, description?: string) {
  return Type.String({
    minLength: 1,
    maxLength,
    pattern: "^(?=.*\\S)[^\\p{Cc}\\p{Cs}]*$",
    "x-message": "must not be blank or contain control characters",
    ...(description === undefined ? {} : { description }),
  });
}
