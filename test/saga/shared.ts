import { testSeed } from "@store/kit/testing";
import { BackEnd } from "./backEnd.ts";
import { faults } from "./faultProxy.ts";
import { invariants, type InvariantResults, type Invariant } from "./findings.ts";
import { Round } from "./round.ts";

export const seed = testSeed("faults and model runs");
let running: Promise<BackEnd> | undefined;
const counts = { rounds: 0, orders: 0, answered: 0 };
const checked = new Map<Invariant, number>();

/** The back end that all files of a run share: starting eight processes is what costs. */
export function backEnd(): Promise<BackEnd> {
  return (running ??= BackEnd.start(seed));
}

/** Begins a round with goods of its own. */
export async function beginRound(onHand: readonly number[]): Promise<Round> {
  counts.rounds += 1;
  return Round.begin(await backEnd(), `R${counts.rounds}`, onHand);
}

/** Ends a round, and counts what was checked. */
export async function finishRound(round: Round, seconds?: number): Promise<InvariantResults> {
  const findings = await round.finish(seconds);
  counts.orders += (await round.orders()).length;
  counts.answered += round.shopClient.placed.size;
  for (const [invariant, count] of findings.checked)
    checked.set(invariant, (checked.get(invariant) ?? 0) + count);
  return findings;
}

after("end the back end, and say what was done", async function () {
  this.timeout(60_000);
  if (running === undefined) return;
  // Whoever waited for it has been told why it didn't start.
  const ended = await running.catch(() => undefined);
  if (ended === undefined) return;
  await ended.stop();
  const { calls } = ended.proxy;
  const byFault = faults.map(
    (fault) => `${fault} ${calls.filter((call) => call.fault === fault).length}`,
  );
  const again = calls.filter(({ caller }) => caller === "the network").length;
  const { kills, revivals, pauses, crashes } = ended.counts;
  process.stdout.write(
    [
      `  TEST_SEED=${seed} repeats these faults`,
      `  ${counts.rounds} rounds, ${counts.orders} orders (${counts.answered} answered 202), ${calls.length} calls, ${again} of them sent again by the network`,
      `  faults: ${byFault.join(", ")}`,
      `  ${kills} replicas killed, ${revivals} restarted, ${pauses} stopped for longer than the lease, ${crashes} database crashes`,
      "  checked:",
      ...Object.entries(invariants).map(
        ([name, what]) => `  ${String(checked.get(name as Invariant) ?? 0).padStart(7)} × ${what}`,
      ),
      "",
    ].join("\n"),
  );
});
