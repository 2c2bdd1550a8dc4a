import assert from "node:assert/strict";
import { testSeed } from "@store/kit/testing";
import { BackEnd } from "./backEnd/backEnd.ts";
import { faults } from "./proxy/faults.ts";
import { invariants, type InvariantResults, type Invariant } from "./invariants/invariants.ts";
import { Round } from "./rounds/round.ts";

export const seed = testSeed("faults and model runs");
let running: Promise<BackEnd> | undefined;
const counts = { rounds: 0, orders: 0, answered: 0 };
const checked = new Map<Invariant, number>();

/** Returns the back end that all files of a run share, because starting eight processes is slow. */
export function backEnd(): Promise<BackEnd> {
  return (running ??= BackEnd.start(seed));
}

/** Begins a round with its own products. */
export async function beginRound(onHand: readonly number[]): Promise<Round> {
  counts.rounds += 1;
  return Round.begin(await backEnd(), `R${counts.rounds}`, onHand);
}

/**
 * Finishes a round and checks all invariants.
 *
 * @throws AssertionError that lists the violations.
 */
export async function assertInvariantsHold(round: Round): Promise<void> {
  assert.equal(String(await finishRound(round)), "");
}

/** Finishes a round, checks all invariants and returns the results. */
export async function finishRound(round: Round, seconds?: number): Promise<InvariantResults> {
  const results = await round.finish(seconds);
  counts.orders += (await round.orders()).length;
  counts.answered += round.orderClient.placed.size;
  for (const [invariant, count] of results.checked)
    checked.set(invariant, (checked.get(invariant) ?? 0) + count);
  return results;
}

after("stop the back end and print a summary", async () => {
  if (running === undefined) return;
  // If it didn't start, the tests have already reported the error.
  const ended = await running.catch(() => undefined);
  if (ended === undefined) return;
  await ended.stop();
  const { calls } = ended.proxy;
  const byFault = faults.map(
    (fault) => `${fault} ${calls.filter((call) => call.fault === fault).length}`,
  );
  const duplicates = calls.filter(({ caller }) => caller === "the network").length;
  const { kills, revivals, pauses, crashes } = ended.counts;
  process.stdout.write(
    [
      `  TEST_SEED=${seed} repeats these faults`,
      `  ${counts.rounds} rounds, ${counts.orders} orders (${counts.answered} accepted), ${calls.length} calls, ${duplicates} of them duplicates by the network`,
      `  faults: ${byFault.join(", ")}`,
      `  ${kills} replicas killed, ${revivals} restarted, ${pauses} stopped for longer than the lease, ${crashes} database crashes`,
      "  checked:",
      ...Object.entries(invariants).map(
        ([name, description]) =>
          `  ${String(checked.get(name as Invariant) ?? 0).padStart(7)} × ${description}`,
      ),
      "",
    ].join("\n"),
  );
});
