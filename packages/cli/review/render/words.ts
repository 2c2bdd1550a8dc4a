/** Returns "1 service" or "2 services". */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}

/** Joins words: "a, b and c". */
export function listed(words: readonly string[]): string {
  if (words.length <= 1) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1) ?? ""}`;
}

/** Joins at most `limit` texts, and counts the others. */
export function limited(texts: readonly string[], limit: number): string {
  const more = texts.length - limit;
  return more > 0 ? `${texts.slice(0, limit).join(", ")} and ${more} more` : texts.join(", ");
}

/** Returns "about 15 s" or "about 10 min". */
export function duration(seconds: number): string {
  return seconds < 120 ? `about ${seconds} s` : `about ${Math.round(seconds / 60)} min`;
}
