import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { LONG_LEASE, type BackEnd } from "../support/backEnd.ts";
import type { Handling, Step } from "../support/faultProxy.ts";
import { confirmed } from "../support/outcomes.ts";
import { sharedBackEnd } from "../support/sharedBackEnd.ts";

describe("an order with an unexpected answer", () => {
  let backEnd: BackEnd;

  before(async () => {
    backEnd = await sharedBackEnd();
    await backEnd.useReplicas(2, LONG_LEASE);
  });
  afterEach(() => backEnd.resetFaults());

  const refusals: [Step, Handling, Partial<typeof confirmed>][] = [
    ["validate", { status: 400 }, { onHand: 5, held: 0, payments: [], shipments: 0 }],
    ["reserve", { status: 400 }, { onHand: 5, held: 0, payments: [], shipments: 0 }],
    ["authorise", { status: 404 }, { onHand: 5, held: 1, payments: [], shipments: 0 }],
    ["commit", { status: 404 }, { onHand: 5, held: 1, payments: ["authorised"] }],
    ["capture", { status: 409, type: "capture-refused" }, { onHand: 4, payments: ["authorised"] }],
    ["ship", { status: 422, type: "constructor" }, { payments: ["captured"], shipments: 0 }],
  ];
  for (const [step, handling, partialOutcome] of refusals) {
    it(`waits for staff if ${step} is refused, and continues after their retry`, async () => {
      backEnd.onStep(step, () => handling);
      const order = await backEnd.place();
      const { reason, history } = await backEnd.waitForStatus(order, "needs_attention");
      assert.equal(reason, `${step}_refused`);
      assert.deepEqual(history.at(-1)?.reason, reason);
      const outcome = await backEnd.readOutcome(order);
      assert.deepEqual({ ...outcome, ...partialOutcome }, outcome);
      assert.match(
        (await backEnd.sagaOf(order))?.last_error ?? "",
        /answered 4\d\d .*by the proxy$/,
      );
      await delay(500);
      assert.equal(backEnd.stepsOf(order).filter((called) => called === step).length, 1);

      backEnd.resetFaults();
      const response = await backEnd.retry(order.id);
      assert.deepEqual(await backEnd.staffActions(order.id), [["retry", "clerk"]]);
      assert.equal(response.status, 200);
      await backEnd.assertEndsAs(order, {
        ...confirmed,
        history: ["pending", "needs_attention", "pending", "confirmed"],
      });
    });
  }
});
