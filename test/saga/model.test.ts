import assert from "node:assert/strict";
import fc from "fast-check";
import { commands, order, STOCK, faultLevels, type Model } from "./commands.ts";
import { backEnd, beginRound, finishRound, seed } from "./shared.ts";

/** Runs, if there is time; seconds after which no further one begins, shrinking included; and how few are too few. */
const RUNS = 12;
const SECONDS = 60;
const AT_LEAST = 3;
/** Seconds for which the faults go on after the last command. Some orders end then, and some only when all is well again. */
const LINGER_SECONDS = 4;

describe("the back end, whatever happens", function () {
  this.timeout((SECONDS + 300) * 1_000);

  before("start it", () => backEnd());

  it("keeps its promises in model runs", async () => {
    const deadline = Date.now() + SECONDS * 1_000;
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(order, { minLength: 3, maxLength: 8 }),
        fc.commands(commands, { maxCommands: 40, size: "max" }),
        async (burst, sequence) => {
          // Not fast-check's own limit: that would leave the last run to itself, while the next test begins.
          if (Date.now() > deadline && runs >= AT_LEAST) return;
          runs += 1;
          const round = await beginRound(STOCK);
          round.backEnd.proxy.profile = faultLevels.rain;
          const model: Model = { orders: 0, kills: 0, crashes: 0, pauses: 0 };
          for (const one of burst) await one.run(model, round);
          await fc.asyncModelRun(() => ({ model, real: round }), sequence);
          await round.keepFaultsUntilOrdersEnd(LINGER_SECONDS);
          assert.equal(String(await finishRound(round)), "");
        },
      ),
      // Unbiased: fast-check would begin with next to nothing happening.
      { seed, numRuns: RUNS, unbiased: true },
    );
    console.log(`        ${runs} model runs`);
  });
});
