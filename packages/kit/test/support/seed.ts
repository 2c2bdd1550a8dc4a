import { randomInt } from "node:crypto";

/**
 * The seed of a property test: TEST_SEED where that is set, else another for each run. It is printed, so that a run can be
 * repeated that has found something.
 */
export function testSeed(what: string): number {
  const seed = Number(process.env["TEST_SEED"] ?? randomInt(2 ** 31));
  console.log(`      ${what}: TEST_SEED=${seed}`);
  return seed;
}
