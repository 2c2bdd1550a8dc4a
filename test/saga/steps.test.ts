import assert from "node:assert/strict";
import { finishRound, backEnd, beginRound } from "./shared.ts";
import {
  killedAt,
  lastOne,
  lateAuthorisation,
  lateReservations,
  repeatedOrders,
  scarceStock,
  slowSteps,
} from "./scenarios.ts";

/** The way of an order that goes well. */
const way = ["reserve", "authorise", "commit", "capture", "ship"] as const;

describe("the back end, when something happens on purpose", function () {
  this.timeout(300_000);

  before("start it", () => backEnd());

  for (const step of way) {
    for (const moment of ["before", "after"] as const) {
      it(`kill -9 of the replica of orders that drives, ${moment} ${step}`, async () => {
        assert.equal(String(await finishRound(await killedAt(step, moment, "caller"))), "");
      });
    }
    it(`kill -9 of the called replica, after ${step} took effect`, async () => {
      assert.equal(String(await finishRound(await killedAt(step, "after", "service"))), "");
    });
  }

  it("the databases die in the middle of a burst of orders", async () => {
    const round = await beginRound([60, 8]);
    const place = (n: number) =>
      round.shopClient.place({
        key: round.key(n),
        lines: [
          { sku: round.sku(0), quantity: 1 },
          { sku: round.sku(1), quantity: 1 },
        ],
        token: n % 3 === 0 ? "tok_flaky" : "tok_ok",
      });
    for (let n = 0; n < 12; n++) void place(n);
    const crash = round.backEnd.crashDatabases();
    for (let n = 6; n < 18; n++) void place(n);
    await crash;
    assert.equal(String(await finishRound(round)), "");
  });

  const scenarios = {
    "orders that come many times": repeatedOrders,
    "the last one, ordered many times at once": lastOne,
    "more orders than stock": scarceStock,
    "a late request to reserve": lateReservations,
    "a late request to authorise, from a replica that was killed": lateAuthorisation,
    "steps that take long": slowSteps,
  };
  for (const [what, scenario] of Object.entries(scenarios)) {
    it(what, async () => {
      assert.equal(String(await finishRound(await scenario())), "");
    });
  }
});
