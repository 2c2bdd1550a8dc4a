/**
 * Variable with the references, separated by spaces, in whose place the daemon has a fallback image: no registry is reachable, and
 * packages/toolchain has built it. `./store` sets it. A fallback image has no digest, only the tag.
 */
export const FALLBACK_VARIABLE = "STORE_FALLBACK_IMAGES";

/** Returns the reference by which the daemon has an image: without its digest if it is a fallback image. */
export function usedImage(ref: string): string {
  const fallbacks = (process.env[FALLBACK_VARIABLE] ?? "").split(" ");
  return fallbacks.includes(ref) ? ref.replace(/@.*$/, "") : ref;
}
