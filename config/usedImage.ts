/**
 * Variable with the references, separated by spaces, in whose place the daemon has an image under the tag only, because no registry is
 * reachable: a fallback image that packages/toolchain has built, or an image of `docker load`, which restores no digest. `./store` sets it.
 */
export const FALLBACK_VARIABLE = "STORE_FALLBACK_IMAGES";

/** Returns the reference by which the daemon has an image: without its digest if it has a tag only. */
export function usedImage(ref: string): string {
  const fallbacks = (process.env[FALLBACK_VARIABLE] ?? "").split(" ");
  return fallbacks.includes(ref) ? ref.replace(/@.*$/, "") : ref;
}
