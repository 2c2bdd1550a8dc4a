import assert from "node:assert/strict";
import { until } from "@store/kit/testing";
import { charge, outcome, type Billing } from "../support/billing.ts";
import { CARD, sharedStripeBilling } from "../support/stripeBilling.ts";
import { FAULTS, type StripeEmulator } from "../support/stripeEmulator.ts";

describe("refunds with Stripe", () => {
  let billing: Billing;
  let stripe: StripeEmulator;

  before(async () => {
    ({ billing, stripe } = await sharedStripeBilling());
  });

  for (const operation of ["list", "refund"] as const) {
    for (const fault of FAULTS) {
      it(`refunds once after fault "${fault}" in "${operation}"`, async () => {
        const { id } = await billing.createPayment(charge(CARD), "capture");
        stripe.fail(operation, fault);
        const { status, body } = await billing.refund(id, {});
        assert.deepEqual([status, body["status"]], [201, "pending"]);
        // Simulates the next day.
        stripe.forgetKeys();
        await until("the payment is refunded", async () => {
          return outcome(await billing.payment(id)) === "refunded";
        });
        assert.deepEqual(stripe.ledger(id).slice(2), ["refunded 8900"]);
      });
    }
  }

  it("refunds once if Stripe's list doesn't contain the refund yet", async () => {
    const { id } = await billing.createPayment(charge(CARD), "capture");
    stripe.fail("refund", "after");
    const { body } = await billing.refund(id, { amount: { amount: 900, currency: "AUD" } });
    assert.equal(body["status"], "pending");
    stripe.lagBehind();
    await until("the refund has succeeded", async () => {
      const refunds = (await billing.payment(id)).body["refunds"] as readonly { status: string }[];
      return refunds.every(({ status }) => status === "succeeded");
    });
    assert.deepEqual(stripe.ledger(id).slice(2), ["refunded 900"]);
  });

  it("finds its refund on a later page of the list", async () => {
    const { id } = await billing.createPayment(charge(CARD), "capture");
    const { pageSize } = stripe;
    stripe.pageSize = 2;
    stripe.fail("refund", "after");
    const part = { amount: { amount: 10, currency: "AUD" } };
    await billing.refund(id, part);
    for (let i = 0; i < 5; i++) await billing.refund(id, part);
    stripe.forgetKeys();
    await until("all refunds have succeeded", async () => {
      const refunds = (await billing.payment(id)).body["refunds"] as readonly { status: string }[];
      return refunds.every(({ status }) => status === "succeeded");
    });
    stripe.pageSize = pageSize;
    assert.equal(stripe.ledger(id).length, 2 + 6);
  });

  it("marks a refund as failed that Stripe refuses permanently", async () => {
    const { id } = await billing.createPayment(charge(CARD), "capture");
    const intent = stripe.intentsOf(id)[0]?.id ?? "";
    // A refund made manually at Stripe.
    stripe.refunds.push({
      ...{ id: "re_by_hand", object: "refund", payment_intent: intent, amount: 8_000 },
      ...{ status: "succeeded", metadata: {} },
    });
    const { body } = await billing.refund(id, {});
    assert.deepEqual([body["status"], body["failure"]], ["failed", "amount_too_large"]);
    assert.deepEqual((await billing.payment(id)).body["refunded"], { amount: 0, currency: "AUD" });
  });

  it("reports the failed refund of a cancelled order in the log and the metrics, and staff can refund the rest", async () => {
    const failed = 'billing_provider_calls_total{provider="stripe",call="refund",answer="failed"}';
    const readFailed = async () => {
      const texts = await Promise.all(
        billing.replicas.running.map(async (one) => (await one.fetch("/metrics")).text()),
      );
      return texts.map((text) => {
        const line = text.split("\n").find((line) => line.startsWith(`${failed} `));
        // Prometheus computes no increase from a counter that is missing before the first failure.
        return Number(line?.split(" ")[1] ?? assert.fail(`${failed} is missing`));
      });
    };
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
    const before = sum(await readFailed());
    const { id } = await billing.createPayment(charge(CARD), "capture");
    stripe.failRefund("lost_or_stolen_card");
    const cancelled = await billing.replicas.send("POST", `/internal/payments/${id}/refund`, {});
    assert.equal(outcome(cancelled), "refunded");

    await until("the failure is logged", () =>
      billing.replicas.running.some(({ log }) =>
        log.some(
          ({ level, payment, reason }) =>
            level === "error" && payment === id && reason === "lost_or_stolen_card",
        ),
      ),
    );
    assert.equal(sum(await readFailed()), before + 1);
    assert.deepEqual((await billing.payment(id)).body["status"], "captured");
    assert.equal((await billing.refund(id, {})).body["status"], "succeeded");
    assert.equal(outcome(await billing.payment(id)), "refunded");
  });
});
