/** Limit of a name in the summary, in UTF-16 code units. */
const NAME_LIMIT = 300;

/** Shortens a text to a length that the summary's schema accepts, and replaces halves of characters. */
export function shorten(text: string, limit = NAME_LIMIT): string {
  const whole = text.length <= limit ? text : `${text.slice(0, limit - 1)}…`;
  return whole.replaceAll(/\p{Surrogate}/gu, "\ufffd");
}
