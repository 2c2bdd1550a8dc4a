import { createHash } from "node:crypto";

/**
 * Returns the content of the secret CALLERS: a line with the name and the token's SHA-256 for each caller. In a file without Pulumi,
 * because `./store services` loads it.
 *
 * @param tokens Token of each caller by the caller's name.
 */
export function callersFile(tokens: Readonly<Record<string, string>>): string {
  return Object.entries(tokens)
    .map(([caller, token]) => `${caller} ${createHash("sha256").update(token).digest("hex")}\n`)
    .join("");
}
