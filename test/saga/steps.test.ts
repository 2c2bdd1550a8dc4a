import { assertInvariantsHold, backEnd, beginRound } from "./sharedBackEnd.ts";
import {
  killedAt,
  lastOne,
  lateAuthorisation,
  lateReservations,
  repeatedOrders,
  revokedPayments,
  scarceStock,
  slowSteps,
} from "./rounds/scenarios.ts";

/** The steps of a successful order. */
const steps = ["validate", "reserve", "authorise", "commit", "capture", "ship"] as const;

describe("the back end under a specific fault", () => {
  before("start it", () => backEnd());

  for (const step of steps) {
    for (const moment of ["before", "after"] as const) {
      it(`keeps all invariants when the replica of orders is killed ${moment} ${step}`, async () => {
        await assertInvariantsHold(await killedAt(step, moment, "caller"));
      });
    }
    it(`keeps all invariants when the called replica is killed after ${step}`, async () => {
      await assertInvariantsHold(await killedAt(step, "after", "service"));
    });
  }

  it("keeps all invariants when the databases crash during a burst of orders", async () => {
    const round = await beginRound([60, 8]);
    const place = (n: number) =>
      round.orderClient.place({
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
    await assertInvariantsHold(round);
  });

  const scenarios = {
    "repeated requests for an order": repeatedOrders,
    "concurrent requests for the last item": lastOne,
    "more orders than stock": scarceStock,
    "a late request to reserve": lateReservations,
    "a late request to authorise from a killed replica": lateAuthorisation,
    "slow steps": slowSteps,
    "payments that are voided after the commit": revokedPayments,
  };
  for (const [description, scenario] of Object.entries(scenarios)) {
    it(`keeps all invariants with ${description}`, async () => {
      await assertInvariantsHold(await scenario());
    });
  }
});
