import * as v from "valibot";

/** A text of limited length in UTF-16 code units. */
export function text(limit: number) {
  return v.pipe(v.string(), v.maxLength(limit));
}

/** A name, a path or a short value. */
export const name = text(300);

/** A whole number. */
export const count = v.pipe(v.number(), v.integer(), v.minValue(0));
