import { createHash } from "node:crypto";

/**
 * A number from 0 to just under 1 that is always the same for the same seed and name. Unlike a stream of random numbers, it
 * doesn't depend on what else was drawn before: calls that come in another order meet the same faults.
 */
export function seededRandom(seed: number, name: string): number {
  return createHash("sha256").update(`${seed}/${name}`).digest().readUInt32BE() / 2 ** 32;
}
