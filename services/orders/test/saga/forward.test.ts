import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { flushedLogs, until } from "@store/kit/testing";
import { LONG_LEASE, type BackEnd } from "../support/backEnd.ts";
import { undecidedHandling, FORWARD_STEPS, type Handling } from "../support/faultProxy.ts";
import { confirmed } from "../support/outcomes.ts";
import { sharedBackEnd } from "../support/sharedBackEnd.ts";

describe("an order that succeeds", () => {
  let backEnd: BackEnd;

  before(async () => {
    backEnd = await sharedBackEnd();
    await backEnd.useReplicas(2, LONG_LEASE);
  });
  afterEach(() => backEnd.resetFaults());

  it("commits items, captures money and creates a parcel once, with one call per step", async () => {
    const order = await backEnd.place();
    await backEnd.assertEndsAs(order, confirmed);
    assert.deepEqual(backEnd.stepsOf(order), FORWARD_STEPS);
    assert.equal(await backEnd.sagaOf(order), undefined);
  });

  it("is accepted at once while inventory doesn't answer the reservation", async () => {
    const { handling, decide } = undecidedHandling();
    backEnd.onStep("reserve", () => handling);
    const order = await backEnd.place();
    assert.equal((await backEnd.readOrder(order)).status, "pending");
    decide("forward");
    await backEnd.assertEndsAs(order, confirmed);
  });

  it("deletes the payment token and logs no personal data", async () => {
    backEnd.onStep("commit", () => ({ status: 503 }));
    const order = await backEnd.place();
    await until("the commit is called", () => backEnd.stepsOf(order).includes("commit"));
    assert.equal(await backEnd.paymentTokenOf(order), null);
    backEnd.resetFaults();
    await backEnd.assertEndsAs(order, confirmed);
    const log = await flushedLogs(backEnd.replicas);
    assert.match(log, new RegExp(order.requestId));
    assert.doesNotMatch(log, /Ada|example\.org|Analytical|tok_/);
    assert.ok(!log.includes(order.id), "the ID grants access to the order");
  });

  it("is processed by one replica at a time", async () => {
    const orders = await Promise.all(
      Array.from({ length: 20 }, (_, i) => backEnd.place({ replica: backEnd.replicas[i % 2] })),
    );
    for (const order of orders) {
      await backEnd.assertEndsAs(order, confirmed);
      assert.deepEqual(backEnd.stepsOf(order), FORWARD_STEPS);
    }
    assert.deepEqual(
      Object.values(backEnd.proxies).flatMap(({ overlaps }) => overlaps),
      [],
    );
  });

  it("keeps its lease during a call that takes longer than the lease", async () => {
    await backEnd.useReplicas(2, { SAGA_LEASE_SECONDS: "6" });
    backEnd.onStep("authorise", async (): Promise<Handling> => {
      await delay(7_500);
      return "forward";
    });
    const order = await backEnd.place();
    await backEnd.assertEndsAs(order, confirmed);
    assert.deepEqual(backEnd.stepsOf(order), FORWARD_STEPS);
  });
});
