import { Type } from "typebox";

/** A stock-keeping unit's name, as in paths and orders. */
export const Sku = Type.String({
  pattern: "^[A-Z0-9][A-Z0-9-]{0,39}$",
  "x-message": "must be 1 to 40 capital letters, digits and hyphens, as in MUG-STONE",
  description: "Stock-keeping unit.",
  examples: ["MUG-STONE"],
});

const UUID = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";

export const Uuid = Type.String({ pattern: UUID, "x-message": "must be a UUID in lower case" });

const uuid = new RegExp(UUID);

/** Whether {@link Uuid} takes it. */
export function isUuid(text: string): boolean {
  return uuid.test(text);
}

const IDEMPOTENCY_KEY = "^[\\x21-\\x7e]{1,255}$";

/** What a caller makes up for a request, so that it is the same one when it is sent again. */
export const IdempotencyKey = Type.String({
  pattern: IDEMPOTENCY_KEY,
  "x-message": "must be 1 to 255 visible ASCII characters, a UUID say",
});

const idempotencyKey = new RegExp(IDEMPOTENCY_KEY);

/** Whether {@link IdempotencyKey} takes it. Much else couldn't even be sent as a header. */
export function isIdempotencyKey(text: string): boolean {
  return idempotencyKey.test(text);
}

/**
 * Text that people enter. Something in it can be seen; the fillers of Hangul and Braille are letters and symbols that can't. Control
 * characters, halves of surrogate pairs and breaks of lines have no business in it, nor has what turns the direction of all that comes
 * after it. Joiners and marks of direction stay: languages and emoji need them.
 */
export function Text(maxLength: number, description?: string) {
  return Type.String({
    minLength: 1,
    maxLength,
    pattern:
      "^(?=.*(?![\\u115f\\u1160\\u2800\\u3164\\uffa0])[\\p{L}\\p{N}\\p{P}\\p{S}])" +
      "[^\\p{Cc}\\p{Cs}\\p{Zl}\\p{Zp}\\u202a-\\u202e\\u2066-\\u2069]*$",
    "x-message": "must have something in it that can be seen, and no control characters",
    ...(description === undefined ? {} : { description }),
  });
}

/**
 * Text that another service has taken from people: refused here, an order that was taken couldn't go on. So it is looked at no harder
 * than the first release of {@link Text} did.
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
