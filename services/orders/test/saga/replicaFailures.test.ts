import assert from "node:assert/strict";
import { until } from "@store/kit/testing";
import type { BackEnd } from "../support/backEnd.ts";
import {
  undecidedHandling,
  FORWARD_STEPS,
  type Handling,
  type Step,
} from "../support/faultProxy.ts";
import { cancelled, confirmed } from "../support/outcomes.ts";
import { sharedBackEnd } from "../support/sharedBackEnd.ts";

describe("replicas of orders that fail or stop", () => {
  let backEnd: BackEnd;

  before(async () => {
    backEnd = await sharedBackEnd();
    await backEnd.killReplicas();
  });
  afterEach(() => backEnd.resetFaults());

  describe("an order whose replica is killed", () => {
    const start = () => backEnd.startReplicas(1, { SAGA_LEASE_SECONDS: "1" });
    before(start);
    after(() => backEnd.killReplicas());

    const compensations: readonly Step[] = ["release", "void"];
    for (const step of [...FORWARD_STEPS, ...compensations]) {
      for (const handling of ["dropRequest", "dropResponse"] as const) {
        const when = handling === "dropRequest" ? "before the call" : "before the response";
        it(`at ${step}, ${when}, is continued by the next replica`, async () => {
          const isCompensated = compensations.includes(step);
          let killed: Promise<unknown> | undefined;
          backEnd.onStep(step, () => {
            if (killed !== undefined) return "forward";
            killed = backEnd.killReplicas();
            return handling;
          });
          const order = await backEnd.place({ token: isCompensated ? "tok_declined" : "tok_ok" });
          await until("the replica is killed", () => killed !== undefined);
          await killed;
          await start();
          await backEnd.assertEndsAs(
            order,
            isCompensated ? cancelled("payment_declined", ["declined"]) : confirmed,
          );
        });
      }
    }
  });

  describe("a replica that is frozen for longer than its lease", () => {
    afterEach(() => backEnd.killReplicas());

    // The step during which the replica is frozen, the step at which the other replica waits when it wakes up, and the answer that
    // it gets then.
    const cases: [Step, Step, Handling][] = [
      ["validate", "commit", "forward"],
      ["reserve", "commit", "forward"],
      ["authorise", "commit", "forward"],
      ["authorise", "commit", { status: 503 }],
      ["authorise", "commit", { status: 404 }],
      ["ship", "ship", "forward"],
    ];
    for (const [frozenStep, waitingStep, answer] of cases) {
      const answered = typeof answer === "string" ? "" : `, answered by ${answer.status},`;
      it(`during the call of ${frozenStep}${answered} writes nothing after waking up; another replica continues`, async () => {
        await backEnd.startReplicas(1);
        const frozen = backEnd.firstReplica;
        const { handling, decide } = undecidedHandling();
        if (waitingStep !== frozenStep) backEnd.onStep(waitingStep, () => ({ status: 503 }));
        let isCalled = false;
        backEnd.onStep(frozenStep, () => {
          if (isCalled) return waitingStep === frozenStep ? { status: 503 } : "forward";
          isCalled = true;
          return handling;
        });
        const order = await backEnd.place();
        await until("the step is called", () => isCalled);
        frozen.process.kill("SIGSTOP");
        await backEnd.startReplicas(1, {
          SAGA_BACKOFF_MS: "600000",
          SAGA_BACKOFF_MAX_MS: "600000",
        });
        await until(
          "the other replica waits",
          async () => (await backEnd.sagaOf(order))?.attempts === 1,
        );

        const before = backEnd.stepsOf(order);
        decide(answer);
        frozen.process.kill("SIGCONT");
        await frozen.waitForLog("the replica has noticed the lost lease", ({ msg }) =>
          /lease has expired/.test(msg),
        );
        assert.deepEqual(backEnd.stepsOf(order), before, "the replica makes no more calls");
        const { step, attempts } =
          (await backEnd.sagaOf(order)) ?? assert.fail("the order has ended");
        assert.deepEqual([step, attempts], [waitingStep, 1]);
        assert.equal((await backEnd.readOrder(order)).status, "pending");

        backEnd.resetFaults();
        const retried = await backEnd.retry(order.id);
        assert.equal(retried.status, 200);
        await backEnd.assertEndsAs(order, confirmed);
      });
    }
  });

  describe("a replica that gets SIGTERM", () => {
    afterEach(() => backEnd.killReplicas());

    it("finishes its call and releases the order, which another replica continues at once", async () => {
      await backEnd.startReplicas(1, { SAGA_LEASE_SECONDS: "3600" });
      const ending = backEnd.firstReplica;
      const { handling, decide } = undecidedHandling();
      backEnd.onStep("authorise", () => handling);
      const order = await backEnd.place();
      await until("the payment is called", () => backEnd.stepsOf(order).includes("authorise"));
      await backEnd.startReplicas(1, { SAGA_LEASE_SECONDS: "3600" });
      const exited = ending.stop("SIGTERM");
      await ending.waitForLog("the replica drains", ({ msg }) => /SIGTERM/.test(msg));
      backEnd.resetFaults();
      decide("forward");
      assert.equal(await exited, 0);
      backEnd.replicas.shift();
      await backEnd.assertEndsAs(order, confirmed);
      assert.deepEqual(backEnd.stepsOf(order), FORWARD_STEPS);
    });
  });
});
