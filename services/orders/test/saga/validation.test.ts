import assert from "node:assert/strict";
import { flushedLogs, until } from "@store/kit/testing";
import { LONG_LEASE, type BackEnd } from "../support/backEnd.ts";
import { FORWARD_STEPS, type Handling } from "../support/faultProxy.ts";
import { cancelled, confirmed } from "../support/outcomes.ts";
import { sharedBackEnd } from "../support/sharedBackEnd.ts";

describe("the payment method of an order", function () {
  this.timeout(180_000);
  let backEnd: BackEnd;

  before(async () => {
    backEnd = await sharedBackEnd();
    await backEnd.useReplicas(2, LONG_LEASE);
  });
  afterEach(() => backEnd.resetFaults());

  it("holds no stock if it doesn't exist", async () => {
    const order = await backEnd.place({ token: "tok_nonsense" });
    await backEnd.assertEndsAs(order, cancelled("invalid_token", []));
    assert.deepEqual(backEnd.stepsOf(order), ["validate", "release", "void"]);
    assert.equal(await backEnd.paymentTokenOf(order), null);
  });

  it("is validated by the release that claims the order: the order waits at the step that the previous release knows", async () => {
    backEnd.onStep("validate", () => ({ status: 503 }));
    const order = await backEnd.place();
    await backEnd.waitForAttempt(order);
    assert.equal((await backEnd.sagaOf(order))?.step, "reserve");
    assert.ok(!backEnd.stepsOf(order).includes("reserve"));
    backEnd.resetFaults();
    await backEnd.assertEndsAs(order, confirmed);
  });

  it("holds no stock while billing can't tell whether it exists", async () => {
    const handlings: Handling[] = [
      { status: 503 },
      "dropRequest",
      "dropResponse",
      { status: 429 },
      { status: 408 },
    ];
    backEnd.onStep("validate", () => handlings.shift() ?? "forward");
    const order = await backEnd.place({ token: "tok_nonsense" });
    await backEnd.assertEndsAs(order, cancelled("invalid_token", []));
    const steps = backEnd.stepsOf(order);
    assert.equal(steps.filter((step) => step === "validate").length, 6);
    assert.ok(!steps.includes("reserve"));
  });

  it("is validated again at each attempt to hold stock, which count and are logged once as at other steps", async () => {
    backEnd.onStep("reserve", () => ({ status: 503 }));
    const order = await backEnd.place();
    await until("the order had three attempts", async () => {
      return ((await backEnd.sagaOf(order))?.attempts ?? 0) >= 3;
    });
    backEnd.resetFaults();
    await backEnd.assertEndsAs(order, confirmed);
    await flushedLogs(backEnd.replicas);
    const warnings = backEnd.replicas
      .flatMap(({ log }) => log)
      .filter(({ requestId, msg }) => requestId === order.requestId && /retry later/.test(msg));
    assert.equal(warnings.length, 1);
  });

  it("releases the stock if it stops existing before the reservation's answer arrives", async () => {
    backEnd.onStep("reserve", () => "dropResponse");
    const order = await backEnd.place();
    await backEnd.waitForAttempt(order);
    // Stands for a payment method that is deleted between two attempts.
    await backEnd.database.query("UPDATE orders SET payment_token = 'tok_nonsense' WHERE id = $1", [
      order.id,
    ]);
    await backEnd.assertEndsAs(order, cancelled("invalid_token", []));
  });

  it("isn't validated by billing's previous release, which doesn't know the request", async () => {
    backEnd.onStep("validate", () => ({ status: 404 }));
    const order = await backEnd.place();
    await backEnd.assertEndsAs(order, confirmed);
    assert.deepEqual(backEnd.stepsOf(order), FORWARD_STEPS);
    const bogus = await backEnd.place({ token: "tok_nonsense" });
    await backEnd.assertEndsAs(bogus, cancelled("invalid_token", ["declined"]));
  });
});
