import { randomInt } from "node:crypto";

/**
 * Returns the seed of a property test: TEST_SEED if it is set, otherwise a random number. Prints it, so that a failed run can be
 * repeated.
 */
export function testSeed(label: string): number {
  const seed = Number(process.env["TEST_SEED"] ?? randomInt(2 ** 31));
  console.log(`      ${label}: TEST_SEED=${seed}`);
  return seed;
}
