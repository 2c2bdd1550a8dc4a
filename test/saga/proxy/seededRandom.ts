import { createHash } from "node:crypto";

/**
 * Returns a number in [0, 1) that depends only on the seed and the name. Unlike a stream of random numbers, it doesn't depend on earlier
 * draws: calls in another order meet the same faults.
 */
export function seededRandom(seed: number, name: string): number {
  return createHash("sha256").update(`${seed}/${name}`).digest().readUInt32BE() / 2 ** 32;
}
