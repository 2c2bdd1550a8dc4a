import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { until } from "@store/kit/testing";
import { LONG_LEASE, type BackEnd } from "../support/backEnd.ts";
import type { Step } from "../support/faultProxy.ts";
import { confirmed } from "../support/outcomes.ts";
import { sharedBackEnd } from "../support/sharedBackEnd.ts";

describe("the metrics of the orders in progress", () => {
  let backEnd: BackEnd;

  before(async () => {
    backEnd = await sharedBackEnd();
    await backEnd.useReplicas(2, LONG_LEASE);
  });
  afterEach(() => backEnd.resetFaults());

  it("include the age of orders and their time at a step", async () => {
    const metric = async (name: string, step: Step) => {
      const text = await (await backEnd.firstReplica.fetch("/metrics")).text();
      const line = text.split("\n").find((one) => one.startsWith(`${name}{step="${step}"} `));
      return Number(line?.split(" ")[1]);
    };
    backEnd.onStep("capture", () => "dropRequest");
    backEnd.onStep("ship", () => "dropRequest");
    const order = await backEnd.place();
    const untilWaitingAt = (step: Step) =>
      until(`the order waits at ${step}`, async () => {
        const saga = await backEnd.sagaOf(order);
        return saga?.step === step && saga.attempts > 0;
      });
    await untilWaitingAt("capture");
    await backEnd.database.query(
      "UPDATE sagas SET since = since - interval '1 hour', step_since = step_since - interval '5 minutes'",
    );
    const standing = await metric("saga_standing_seconds", "capture");
    assert.ok(standing >= 300 && standing < 360, `${standing} s`);
    assert.ok((await metric("saga_oldest_seconds", "capture")) >= 3_600);

    // A repeated attempt is no progress.
    const { attempts } = (await backEnd.sagaOf(order)) ?? assert.fail();
    await until(
      "the call is repeated",
      async () => ((await backEnd.sagaOf(order))?.attempts ?? 0) > attempts,
    );
    assert.ok((await metric("saga_standing_seconds", "capture")) >= 300);

    backEnd.resetFaults();
    backEnd.onStep("ship", () => "dropRequest");
    await untilWaitingAt("ship");
    assert.ok((await metric("saga_standing_seconds", "ship")) < 60);
    assert.ok((await metric("saga_oldest_seconds", "ship")) >= 3_600);
    assert.equal(await metric("saga_standing_seconds", "capture"), 0);
    backEnd.resetFaults();
    await backEnd.assertEndsAs(order, confirmed);
    assert.equal(await metric("saga_standing_seconds", "ship"), 0);
  });

  for (const service of ["shipping", "billing"] as const) {
    it(`include the lag behind ${service}`, async () => {
      const lag = async () => {
        const text = await (await backEnd.firstReplica.fetch("/metrics")).text();
        return Number(new RegExp(`^${service}_changes_lag_seconds (.*)$`, "m").exec(text)?.[1]);
      };
      await until(`all changes of ${service} are applied`, async () => (await lag()) < 5);
      await backEnd.stopUpstream(service);
      await backEnd.database.query(
        `UPDATE ${service}_cursor SET caught_up_at = caught_up_at - interval '5 minutes'`,
      );
      await delay(1_000);
      const behind = await lag();
      assert.ok(behind >= 301 && behind < 360, `${behind} s`);
      await backEnd.startUpstream(service);
      await until(`all changes of ${service} are applied again`, async () => (await lag()) < 5);
    });
  }
});
