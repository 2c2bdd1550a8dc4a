import assert from "node:assert/strict";
import { startPostgres, stopPostgres, until } from "@store/kit/testing";
import { LONG_LEASE, type BackEnd } from "../support/backEnd.ts";
import { FORWARD_STEPS, type Handling, type Step } from "../support/faultProxy.ts";
import { confirmed } from "../support/outcomes.ts";
import { sharedBackEnd } from "../support/sharedBackEnd.ts";

describe("an order with a call of unknown outcome", () => {
  let backEnd: BackEnd;

  before(async () => {
    backEnd = await sharedBackEnd();
    await backEnd.useReplicas(2, LONG_LEASE);
  });
  afterEach(() => backEnd.resetFaults());

  for (const step of FORWARD_STEPS) {
    it(`retries ${step} until the outcome is known, and cancels nothing`, async () => {
      const handlings: Handling[] = [
        "dropRequest",
        { status: 503 },
        "dropResponse",
        { status: 429 },
        { status: 408 },
      ];
      backEnd.onStep(step, () => handlings.shift() ?? "forward");
      const order = await backEnd.place();
      await backEnd.assertEndsAs(order, confirmed);
      const steps = backEnd.stepsOf(order);
      assert.equal(steps.filter((called) => called === step).length, 6);
      assert.deepEqual(new Set(steps), new Set(FORWARD_STEPS));
    });
  }

  it("waits for a slow payment provider", async () => {
    await backEnd.assertEndsAs(await backEnd.place({ token: "tok_slow" }), confirmed);
  });

  it("results in one payment with a provider that fails at random", async () => {
    const orders = await Promise.all(
      Array.from({ length: 10 }, () => backEnd.place({ token: "tok_flaky" })),
    );
    for (const order of orders) await backEnd.assertEndsAs(order, confirmed);
  });

  for (const name of ["inventory", "billing", "shipping"] as const) {
    it(`continues when ${name} is available again`, async () => {
      const interruptedSteps: Record<typeof name, Step> = {
        inventory: "commit",
        billing: "capture",
        shipping: "ship",
      };
      const interruptedStep = interruptedSteps[name];
      let stop: Promise<void> | undefined;
      backEnd.onStep(interruptedStep, async (): Promise<Handling> => {
        await (stop ??= backEnd.stopUpstream(name));
        return "dropRequest";
      });
      const order = await backEnd.place();
      await until(
        "the call was repeated",
        async () => ((await backEnd.sagaOf(order))?.attempts ?? 0) > 1,
      );
      const { step, last_error } = (await backEnd.sagaOf(order)) ?? assert.fail();
      assert.equal(step, interruptedStep);
      assert.match(last_error ?? "", new RegExp(`^${name}: `));
      assert.equal((await backEnd.readOrder(order)).status, "pending");
      const metrics = await (await backEnd.firstReplica.fetch("/metrics")).text();
      assert.match(metrics, new RegExp(`^saga_orders\\{step="${step}"\\} 1$`, "m"));
      assert.match(metrics, new RegExp(`^saga_oldest_seconds\\{step="${step}"\\} \\d`, "m"));
      assert.match(metrics, /^saga_orders\{step="needs_attention"\} 0$/m);
      await stop;
      backEnd.resetFaults();
      await backEnd.startUpstream(name);
      await backEnd.assertEndsAs(order, confirmed);
    });
  }

  it("survives a restart of the database", async () => {
    const orders = await Promise.all(
      Array.from({ length: 10 }, () => backEnd.place({ token: "tok_slow" })),
    );
    await stopPostgres();
    await startPostgres();
    for (const order of orders) await backEnd.assertEndsAs(order, confirmed);
  });
});
