import fc from "fast-check";
import { commands, order, STOCK, faultLevels, type Model } from "./rounds/commands.ts";
import { assertInvariantsHold, backEnd, beginRound, seed } from "./sharedBackEnd.ts";

/** Maximum number of runs. */
const RUNS = 12;
/** Seconds after which no further run begins, including shrinking. */
const SECONDS = 30;
/** Number of runs that take place even after that time. */
const MINIMUM_RUNS = 3;
/** Seconds for which the faults continue after the last command. Some orders end during this time, and others after the faults. */
const FAULTS_AFTER_LAST_COMMAND_SECONDS = 4;

describe("the back end under random faults", () => {
  before("start it", () => backEnd());

  it("keeps all invariants in model runs", async () => {
    const deadline = Date.now() + SECONDS * 1_000;
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(order, { minLength: 3, maxLength: 8 }),
        fc.commands(commands, { maxCommands: 40, size: "max" }),
        async (burst, sequence) => {
          // Not fast-check's time limit, which would leave the last run active while the next test begins.
          if (Date.now() > deadline && runs >= MINIMUM_RUNS) return;
          runs += 1;
          const round = await beginRound(STOCK);
          round.backEnd.proxy.profile = faultLevels.rain;
          const model: Model = { orders: 0, kills: 0, crashes: 0, pauses: 0 };
          for (const one of burst) await one.run(model, round);
          await fc.asyncModelRun(() => ({ model, real: round }), sequence);
          await round.keepFaultsUntilOrdersEnd(FAULTS_AFTER_LAST_COMMAND_SECONDS);
          await assertInvariantsHold(round);
        },
      ),
      // Unbiased, because fast-check's bias would make the first runs almost empty.
      { seed, numRuns: RUNS, unbiased: true },
    );
    console.log(`        ${runs} model runs`);
  });
});
