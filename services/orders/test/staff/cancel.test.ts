import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { until } from "@store/kit/testing";
import { customer, LONG_LEASE, type BackEnd, type PlacedOrder } from "../support/backEnd.ts";
import { undecidedHandling, type Step } from "../support/faultProxy.ts";
import { cancelled, confirmed } from "../support/outcomes.ts";
import { sharedBackEnd } from "../support/sharedBackEnd.ts";

describe("an order that staff cancel", () => {
  let backEnd: BackEnd;

  before(async () => {
    backEnd = await sharedBackEnd();
    await backEnd.useReplicas(2, LONG_LEASE);
  });
  afterEach(() => backEnd.resetFaults());

  /** Cancels an order and returns the status and problem type of the response. */
  const refusal = async (id: string) => {
    const response = await backEnd.cancel(id);
    return [response.status, ((await response.json()) as { type: string }).type] as const;
  };
  const parcels = async ({ id }: PlacedOrder) => {
    const answer = await backEnd.sendTo("shipping", `/api/shipping/shipments?order=${id}`);
    return ((await answer.json()) as { items: { id: string; status: string }[] }).items;
  };
  const parcelStatus = async (order: PlacedOrder) => (await parcels(order))[0]?.status;
  const payments = async ({ id }: PlacedOrder) => {
    const answer = await backEnd.sendTo("billing", `/api/billing/payments?order=${id}`);
    const { items } = (await answer.json()) as {
      items: { id: string; refunds: { amount: { amount: number }; status: string }[] }[];
    };
    return items;
  };
  const afterAttention = ["pending", "needs_attention", "pending", "cancelled"];
  const cancelledByStore = (payments: readonly string[]) => ({
    ...cancelled("cancelled_by_store", payments),
    history: afterAttention,
  });

  const refused: [Step, readonly string[]][] = [
    ["reserve", []],
    ["authorise", []],
    ["commit", ["voided"]],
  ];
  for (const [step, payments] of refused) {
    it(`is compensated if ${step} was refused, and refuses a late call`, async () => {
      let path = "";
      backEnd.onStep(step, (call) => {
        path = call.path;
        return { status: 404 };
      });
      const order = await backEnd.place();
      await backEnd.waitForStatus(order, "needs_attention");
      backEnd.resetFaults();
      const response = await backEnd.cancel(order.id);
      assert.equal(response.status, 200);
      assert.equal(response.headers.get("cache-control"), "no-store");
      assert.equal(((await response.json()) as { status: string }).status, "pending");
      await backEnd.assertEndsAs(order, cancelledByStore(payments));
      assert.deepEqual(await backEnd.staffActions(order.id), [["cancel", "clerk"]]);
      assert.deepEqual(backEnd.stepsOf(order).slice(-2), ["release", "void"]);
      assert.equal(await backEnd.paymentTokenOf(order), null);

      const late = {
        reserve: () =>
          backEnd.sendTo("inventory", path, {
            method: "PUT",
            body: JSON.stringify({ lines: [{ sku: order.sku, quantity: 1 }] }),
          }),
        authorise: () =>
          backEnd.sendTo("billing", path, {
            method: "PUT",
            body: JSON.stringify({
              order: order.id,
              amount: { amount: 2900, currency: "AUD" },
              token: "tok_ok",
            }),
          }),
        commit: () => backEnd.sendTo("inventory", path, { method: "POST" }),
      }[step as "reserve" | "authorise" | "commit"];
      assert.equal((await late()).status, 409);
      assert.deepEqual(await backEnd.readOutcome(order), cancelledByStore(payments));
      // A repeated cancellation changes nothing.
      assert.equal((await backEnd.cancel(order.id)).status, 200);
      assert.deepEqual(await backEnd.readOutcome(order), cancelledByStore(payments));
    });
  }

  it("is compensated while it waits for an answer, also if the call had taken effect", async () => {
    backEnd.onStep("authorise", () => "dropResponse");
    const order = await backEnd.place();
    await backEnd.waitForAttempt(order);
    await until("it is cancelled", async () => (await backEnd.cancel(order.id)).status === 200);
    backEnd.resetFaults();
    await backEnd.assertEndsAs(order, cancelled("cancelled_by_store", ["voided"]));
  });

  it("continues if its items are already committed", async () => {
    backEnd.onStep("commit", async ({ path }) => {
      await backEnd.sendTo("inventory", path, { method: "POST" });
      return { status: 404 };
    });
    const order = await backEnd.place();
    await backEnd.waitForStatus(order, "needs_attention");
    assert.equal((await backEnd.cancel(order.id)).status, 200);
    await backEnd.assertEndsAs(order, {
      ...confirmed,
      history: ["pending", "needs_attention", "pending", "confirmed"],
    });
    assert.deepEqual(backEnd.stepsOf(order).slice(-3), ["release", "capture", "ship"]);
  });

  it("keeps the reason of a cancellation that had already begun", async () => {
    backEnd.onStep("release", () => ({ status: 404 }));
    const order = await backEnd.place({ token: "tok_declined" });
    await backEnd.waitForStatus(order, "needs_attention");
    backEnd.resetFaults();
    assert.equal((await backEnd.cancel(order.id)).status, 200);
    await backEnd.assertEndsAs(order, {
      ...cancelled("payment_declined", ["declined"]),
      history: ["pending", "needs_attention", "pending", "cancelled"],
    });
  });

  it("is the only one cancelled: a waiting order and one that needs attention are unchanged", async () => {
    const refused = new Set<string>();
    backEnd.onStep("reserve", ({ requestId }) =>
      refused.has(requestId) ? { status: 404 } : { status: 503 },
    );
    const place = async (isRefused: boolean) => {
      const requestId = randomUUID();
      if (isRefused) refused.add(requestId);
      return backEnd.place({ requestId });
    };
    const [order, unchanged, waiting] = [await place(true), await place(true), await place(false)];
    for (const one of [order, unchanged]) await backEnd.waitForStatus(one, "needs_attention");
    await backEnd.waitForAttempt(waiting);
    assert.equal((await backEnd.cancel(order.id)).status, 200);
    await backEnd.waitForStatus(order, "cancelled");
    assert.equal((await backEnd.readOrder(unchanged)).status, "needs_attention");
    for (const one of [unchanged, waiting]) {
      assert.equal((await backEnd.sagaOf(one))?.step, "reserve");
      assert.equal(await backEnd.paymentTokenOf(one), "tok_ok");
    }
    backEnd.resetFaults();
    await backEnd.assertEndsAs(waiting, confirmed);
    await backEnd.retry(unchanged.id);
    await backEnd.assertEndsAs(unchanged, {
      ...confirmed,
      history: ["pending", "needs_attention", "pending", "confirmed"],
    });
  });

  it("returns its items if the capture was refused, and refuses late calls", async () => {
    const paths: Partial<Record<Step, string>> = {};
    backEnd.onStep("commit", ({ path }) => {
      paths.commit = path;
      return "forward";
    });
    backEnd.onStep("capture", ({ path }) => {
      paths.capture = path;
      return { status: 409, type: "capture-refused" };
    });
    const order = await backEnd.place();
    await backEnd.waitForStatus(order, "needs_attention");
    assert.equal((await backEnd.cancel(order.id)).status, 200);
    await backEnd.assertEndsAs(order, cancelledByStore(["voided"]));
    assert.deepEqual(backEnd.stepsOf(order).slice(-2), ["void", "return"]);
    const send = (service: "inventory" | "billing", path = "") =>
      backEnd.sendTo(service, path, { method: "POST" });
    assert.equal((await send("inventory", paths.commit)).status, 409);
    assert.equal((await send("billing", paths.capture)).status, 409);
    assert.deepEqual(await backEnd.readOutcome(order), cancelledByStore(["voided"]));
  });

  it("continues if its payment is already captured", async () => {
    backEnd.onStep("capture", async ({ path }) => {
      await backEnd.sendTo("billing", path, { method: "POST" });
      return { status: 404 };
    });
    const order = await backEnd.place();
    await backEnd.waitForStatus(order, "needs_attention");
    backEnd.onStep("capture", () => "forward");
    assert.equal((await backEnd.cancel(order.id)).status, 200);
    await backEnd.assertEndsAs(order, {
      ...confirmed,
      history: ["pending", "needs_attention", "pending", "confirmed"],
    });
    assert.deepEqual(backEnd.stepsOf(order).slice(-3), ["void", "capture", "ship"]);
  });

  it("is refunded and its items are returned if its parcel was refused, and refuses a late call", async () => {
    let late = "";
    backEnd.onStep("ship", ({ path }) => {
      late = path;
      return { status: 404 };
    });
    const order = await backEnd.place();
    await backEnd.waitForStatus(order, "needs_attention");
    assert.equal((await backEnd.cancel(order.id)).status, 200);
    // The parcel that is cancelled before it exists is listed, too.
    const expected = {
      ...cancelled("refunded_by_store", ["refunded"]),
      history: afterAttention,
      shipments: 1,
    };
    await backEnd.assertEndsAs(order, expected);
    assert.deepEqual(backEnd.stepsOf(order).slice(-3), ["unship", "refund", "return"]);
    const { name, address } = customer;
    const response = await backEnd.sendTo("shipping", late, {
      method: "PUT",
      body: JSON.stringify({
        order: order.id,
        recipient: { name, address },
        lines: [{ sku: order.sku, name: `Product ${order.sku}`, quantity: 1 }],
      }),
    });
    assert.equal(response.status, 409);
    assert.equal(await parcelStatus(order), "cancelled");
    assert.deepEqual(await backEnd.readOutcome(order), expected);
  });

  const cancelledAfterConfirmation = {
    ...cancelled("refunded_by_store", ["refunded"]),
    history: ["pending", "confirmed", "cancelled"],
    shipments: 1,
  };

  it("is refunded once and its parcel isn't sent if it was confirmed, also if answers are lost", async () => {
    const order = await backEnd.place();
    await backEnd.waitForStatus(order, "confirmed");
    for (const step of ["unship", "refund", "return"] as const) {
      const handlings = ["dropResponse", "dropRequest"] as const;
      let calls = 0;
      backEnd.onStep(step, () => handlings[calls++] ?? "forward");
    }
    assert.equal((await backEnd.cancel(order.id)).status, 200);
    await backEnd.assertEndsAs(order, cancelledAfterConfirmation);
    const [shipment] = await parcels(order);
    assert.equal(shipment?.status, "cancelled");
    const dispatch = await backEnd.sendTo(
      "shipping",
      `/api/shipping/shipments/${shipment.id}/dispatch`,
      { method: "POST" },
    );
    assert.equal(dispatch.status, 409);
    const [payment] = await payments(order);
    assert.deepEqual(
      payment?.refunds.map(({ amount, status }) => [amount.amount, status]),
      [[2900, "succeeded"]],
    );
    // A repeated cancellation changes nothing.
    assert.equal((await backEnd.cancel(order.id)).status, 200);
    assert.deepEqual(await backEnd.readOutcome(order), cancelledAfterConfirmation);
  });

  it("gets what wasn't refunded yet", async () => {
    const order = await backEnd.place();
    await backEnd.waitForStatus(order, "confirmed");
    const [payment] = await payments(order);
    const part = await backEnd.sendTo("billing", `/api/billing/payments/${payment?.id}/refunds`, {
      method: "POST",
      headers: { "idempotency-key": "part" },
      body: JSON.stringify({ amount: { amount: 900, currency: "AUD" } }),
    });
    assert.equal(part.status, 201);
    assert.equal((await backEnd.cancel(order.id)).status, 200);
    await backEnd.assertEndsAs(order, cancelledAfterConfirmation);
    assert.deepEqual(
      (await payments(order))[0]?.refunds.map(({ amount }) => amount.amount),
      [900, 2000],
    );
  });

  it("continues without a refund if its parcel is dispatched", async () => {
    const order = await backEnd.place();
    await backEnd.waitForStatus(order, "confirmed");
    const [shipment] = await parcels(order);
    backEnd.onStep("unship", async (): Promise<"forward"> => {
      const path = `/api/shipping/shipments/${shipment?.id}/dispatch`;
      assert.ok((await backEnd.sendTo("shipping", path, { method: "POST" })).ok);
      return "forward";
    });
    assert.equal((await backEnd.cancel(order.id)).status, 200);
    await backEnd.waitForStatus(order, "shipped");
    const { status, reason, payments: paid, onHand } = await backEnd.readOutcome(order);
    assert.deepEqual([status, reason, paid, onHand], ["shipped", undefined, ["captured"], 4]);
    assert.equal(await backEnd.sagaOf(order), undefined);
  });

  // The refusal may reach the order before the dispatch does.
  it("has each status once in its history if shipping refuses to cancel its parcel", async () => {
    const order = await backEnd.place();
    await backEnd.waitForStatus(order, "confirmed");
    backEnd.onStep("unship", () => ({
      status: 409,
      type: "shipment-dispatched",
    }));
    assert.equal((await backEnd.cancel(order.id)).status, 200);
    await until("the saga has ended", async () => (await backEnd.sagaOf(order)) === undefined);
    await backEnd.assertEndsAs(order, confirmed);
    await backEnd.dispatch(order);
    await backEnd.waitForStatus(order, "shipped");
    const { history } = await backEnd.readOutcome(order);
    assert.deepEqual(history, ["pending", "confirmed", "shipped"]);
  });

  it("can't be cancelled while it is being processed, and after its dispatch", async () => {
    const problem = "urn:store:problem:";
    const order = await backEnd.place();
    await backEnd.waitForStatus(order, "confirmed");
    const [shipment] = await parcels(order);
    const path = `/api/shipping/shipments/${shipment?.id}/dispatch`;
    await backEnd.sendTo("shipping", path, { method: "POST" });
    await backEnd.waitForStatus(order, "shipped");
    assert.deepEqual(await refusal(order.id), [409, `${problem}order-not-cancellable`]);

    const { handling, decide } = undecidedHandling();
    backEnd.onStep("authorise", () => handling);
    const busy = await backEnd.place();
    await until("the payment is called", () => backEnd.stepsOf(busy).includes("authorise"));
    assert.deepEqual(await refusal(busy.id), [409, `${problem}order-in-progress`]);
    decide("forward");
    await backEnd.assertEndsAs(busy, confirmed);
    assert.deepEqual(await refusal(randomUUID()), [404, "about:blank"]);
  });
});
