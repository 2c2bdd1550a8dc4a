import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { until } from "@store/kit/testing";
import type { BackEnd, PlacedOrder } from "../support/backEnd.ts";
import { undecidedHandling } from "../support/faultProxy.ts";
import { confirmed } from "../support/outcomes.ts";
import { sharedBackEnd } from "../support/sharedBackEnd.ts";

describe("orders with slow payments", () => {
  let backEnd: BackEnd;

  before(async () => {
    backEnd = await sharedBackEnd();
    await backEnd.killReplicas();
  });
  afterEach(() => backEnd.resetFaults());

  afterEach(() => backEnd.killReplicas());

  /** Places orders whose payments get no answer until `answer` is called. */
  const placeSlow = async (count: number) => {
    const { handling, decide } = undecidedHandling();
    const slow = new Set<string>();
    backEnd.onStep("authorise", ({ requestId }) => (slow.has(requestId) ? handling : "forward"));
    const orders: PlacedOrder[] = [];
    for (let n = 0; n < count; n++) {
      const requestId = randomUUID();
      slow.add(requestId);
      orders.push(await backEnd.place({ requestId }));
    }
    return { orders, answer: () => decide("forward") };
  };
  /** Counts the orders whose payment was called. */
  const countCalled = (orders: readonly PlacedOrder[]) =>
    orders.filter((order) => backEnd.stepsOf(order).includes("authorise")).length;
  const concurrency = { SAGA_CONCURRENCY: "2" };

  it("delay no other order", async () => {
    await backEnd.startReplicas(1, concurrency);
    const slow = await placeSlow(6);
    await until("all payments are called", () => countCalled(slow.orders) === 6);
    const other = await backEnd.place();
    await backEnd.assertEndsAs(other, confirmed);
    slow.answer();
    for (const order of slow.orders) await backEnd.assertEndsAs(order, confirmed);
  });

  it("are claimed up to the limit of waiting orders", async () => {
    await backEnd.startReplicas(1, { ...concurrency, SAGA_MAX_WAITING: "1" });
    const slow = await placeSlow(4);
    await until("three payments are called", () => countCalled(slow.orders) === 3);
    await delay(1_500);
    assert.equal(countCalled(slow.orders), 3);
    slow.answer();
    for (const order of slow.orders) await backEnd.assertEndsAs(order, confirmed);
  });
});
