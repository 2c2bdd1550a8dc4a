import assert from "node:assert/strict";
import { LONG_LEASE, newSku, type BackEnd } from "../support/backEnd.ts";
import type { Handling } from "../support/faultProxy.ts";
import { cancelled, confirmed } from "../support/outcomes.ts";
import { sharedBackEnd } from "../support/sharedBackEnd.ts";

describe("an order that is refused before its items are committed", () => {
  let backEnd: BackEnd;

  before(async () => {
    backEnd = await sharedBackEnd();
    await backEnd.useReplicas(2, LONG_LEASE);
  });
  afterEach(() => backEnd.resetFaults());

  const declines: [string, string][] = [
    ["tok_declined", "payment_declined"],
    ["tok_insufficient_funds", "insufficient_funds"],
  ];
  for (const [token, reason] of declines) {
    it(`releases its items if ${token} is declined with ${reason}`, async () => {
      const order = await backEnd.place({ token });
      await backEnd.assertEndsAs(order, cancelled(reason, ["declined"]));
      assert.deepEqual(backEnd.stepsOf(order), [
        "validate",
        "reserve",
        "authorise",
        "release",
        "void",
      ]);
      assert.equal(await backEnd.paymentTokenOf(order), null);
    });
  }

  it("authorises no payment if the items were sold meanwhile", async () => {
    const sku = newSku();
    backEnd.onStep("reserve", async (): Promise<Handling> => {
      await backEnd.setStock(sku, 0);
      return "forward";
    });
    const order = await backEnd.place({ sku });
    await backEnd.waitForStatus(order, "cancelled");
    const { reason, payments, shipments } = await backEnd.readOutcome(order);
    assert.deepEqual({ reason, shipments }, { reason: "out_of_stock", shipments: 0 });
    assert.ok(payments.every((status) => status === "voided"));
    assert.deepEqual(backEnd.stepsOf(order), ["validate", "reserve", "release", "void"]);
  });

  it("voids the payment if the reservation has expired and the items are sold", async () => {
    backEnd.onStep("commit", () => ({ status: 409, type: "out-of-stock" }));
    const order = await backEnd.place();
    await backEnd.assertEndsAs(order, cancelled("out_of_stock", ["voided"]));
    assert.deepEqual(backEnd.stepsOf(order), [
      ...["validate", "reserve", "authorise", "commit", "release", "void"],
    ]);
  });

  for (const step of ["release", "void"] as const) {
    it(`retries ${step} until it succeeds`, async () => {
      const handlings: Handling[] = [
        { status: 503 },
        "dropRequest",
        "dropResponse",
        { status: 429 },
      ];
      backEnd.onStep(step, () => handlings.shift() ?? "forward");
      const order = await backEnd.place({ token: "tok_declined" });
      await backEnd.assertEndsAs(order, cancelled("payment_declined", ["declined"]));
      assert.equal(backEnd.stepsOf(order).filter((called) => called === step).length, 5);
    });
  }

  it("returns its items if the authorisation of its payment has ended before the capture", async () => {
    backEnd.onStep("capture", async ({ path }): Promise<Handling> => {
      await backEnd.sendTo("billing", path.replace("/capture", "/void"), { method: "POST" });
      return "forward";
    });
    const handlings: Handling[] = [{ status: 503 }, "dropResponse"];
    backEnd.onStep("return", () => handlings.shift() ?? "forward");
    const order = await backEnd.place();
    await backEnd.assertEndsAs(order, cancelled("payment_failed", ["voided"]));
    assert.deepEqual(backEnd.stepsOf(order), [
      ...["validate", "reserve", "authorise", "commit", "capture"],
      ...["void", "return", "return", "return"],
    ]);
  });

  it("continues if its items are already committed", async () => {
    // Like a commit that was sent long ago and arrives after the next one was refused.
    backEnd.onStep("commit", async ({ path }) => {
      await backEnd.sendTo("inventory", path, { method: "POST" });
      return { status: 409, type: "out-of-stock" };
    });
    // The order waits at the capture: its reason for the cancellation must be deleted there, too.
    const handlings: Handling[] = [{ status: 503 }];
    backEnd.onStep("capture", () => handlings.shift() ?? "forward");
    const order = await backEnd.place();
    await backEnd.assertEndsAs(order, confirmed);
    assert.deepEqual(backEnd.stepsOf(order), [
      ...["validate", "reserve", "authorise", "commit", "release"],
      ...["capture", "capture", "ship"],
    ]);
  });
});
