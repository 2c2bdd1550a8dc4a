import assert from "node:assert/strict";
import { until } from "@store/kit/testing";
import { LONG_LEASE, type BackEnd } from "../support/backEnd.ts";
import { undecidedHandling } from "../support/faultProxy.ts";
import { cancelled, confirmed } from "../support/outcomes.ts";
import { sharedBackEnd } from "../support/sharedBackEnd.ts";

describe("an order whose payment staff refund", () => {
  let backEnd: BackEnd;

  before(async () => {
    backEnd = await sharedBackEnd();
    await backEnd.useReplicas(2, LONG_LEASE);
  });
  afterEach(() => backEnd.resetFaults());

  const refunded = {
    ...cancelled("refunded_by_store", ["refunded"]),
    history: ["pending", "confirmed", "cancelled"],
    shipments: 1,
  };

  it("is cancelled if everything is refunded: its parcel is stopped, its items are returned", async () => {
    const order = await backEnd.placeConfirmed();
    await backEnd.refund(order);
    await backEnd.assertEndsAs(order, refunded);
    assert.equal((await backEnd.parcels(order))[0]?.status, "cancelled");
    assert.equal((await backEnd.dispatch(order)).status, 409);
    assert.deepEqual(backEnd.stepsOf(order).slice(-3), ["unship", "refund", "return"]);
  });

  it("stays as it is while a part is left, and is cancelled with the last part", async () => {
    const [partly, inParts] = [await backEnd.placeConfirmed(), await backEnd.placeConfirmed()];
    await backEnd.refund(partly, 2_899);
    await backEnd.refund(inParts, 900);
    await backEnd.refund(inParts, 2_000);
    // Changes of payments are applied in their order.
    await backEnd.assertEndsAs(inParts, refunded);
    assert.deepEqual(await backEnd.readOutcome(partly), confirmed);
    assert.equal(await backEnd.sagaOf(partly), undefined);
    assert.equal((await backEnd.dispatch(partly)).status, 200);
    await backEnd.waitForStatus(partly, "shipped");
  });

  it("stays shipped if its parcel is dispatched, also before the refund reaches the order", async () => {
    const [shipped, racing, last] = [
      await backEnd.placeConfirmed(),
      await backEnd.placeConfirmed(),
      await backEnd.placeConfirmed(),
    ];
    await backEnd.dispatch(shipped);
    await backEnd.waitForStatus(shipped, "shipped");
    await backEnd.refund(shipped);
    backEnd.onStep("unship", async ({ requestId }): Promise<"forward"> => {
      if (requestId === racing.requestId) await backEnd.dispatch(racing);
      return "forward";
    });
    await backEnd.refund(racing);
    await backEnd.refund(last);
    await backEnd.assertEndsAs(last, refunded);
    await backEnd.waitForStatus(racing, "shipped");
    for (const order of [shipped, racing]) {
      const { status, reason, onHand } = await backEnd.readOutcome(order);
      assert.deepEqual([status, reason, onHand], ["shipped", undefined, 4]);
      assert.equal(await backEnd.sagaOf(order), undefined);
    }
  });

  it("is cancelled if its parcel was refused", async () => {
    backEnd.onStep("ship", () => ({ status: 404 }));
    const order = await backEnd.place();
    await backEnd.waitForStatus(order, "needs_attention");
    backEnd.resetFaults();
    await backEnd.refund(order);
    await backEnd.assertEndsAs(order, {
      ...refunded,
      history: ["pending", "needs_attention", "pending", "cancelled"],
    });
  });

  it("is cancelled after the call that was in progress, also if its answer is lost", async () => {
    const { handling, decide } = undecidedHandling();
    backEnd.onStep("ship", () => handling);
    const order = await backEnd.place();
    await until("the parcel is called", () => backEnd.stepsOf(order).includes("ship"));
    await backEnd.refund(order);
    decide("dropResponse");
    await backEnd.assertEndsAs(order, { ...refunded, history: ["pending", "cancelled"] });
    assert.equal((await backEnd.parcels(order))[0]?.status, "cancelled");
  });

  it("waits for billing during a rollout, without an error", async () => {
    const order = await backEnd.placeConfirmed();
    backEnd.onStep("changes", ({ path }) =>
      path.includes("/payments/") ? { status: 404 } : "forward",
    );
    await backEnd.refund(order);
    const [replica] = backEnd.replicas;
    await replica?.waitForLog("billing has no changes yet", ({ level, msg }) =>
      level === "warn" ? /billing: is of a release without changes of payments/.test(msg) : false,
    );
    backEnd.resetFaults();
    await backEnd.assertEndsAs(order, refunded);
  });
});
