import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { flushedLogs } from "@store/kit/testing";
import { charge, outcome, type Billing } from "../support/billing.ts";
import { CARD, sharedStripeBilling } from "../support/stripeBilling.ts";
import { FAULTS, type Operation, type StripeEmulator } from "../support/stripeEmulator.ts";

describe("payments with Stripe", () => {
  let billing: Billing;
  let stripe: StripeEmulator;

  before(async () => {
    ({ billing, stripe } = await sharedStripeBilling());
  });

  it("authorises, captures and refunds once each", async () => {
    for (const token of [CARD, "ctoken_visa"]) {
      const { id, request } = await billing.createPayment(charge(token));
      for (let i = 0; i < 2; i++)
        assert.deepEqual((await billing.authorise(id, request)).body, { id, status: "authorised" });
      for (let i = 0; i < 2; i++) assert.equal(outcome(await billing.capture(id)), "captured");
      assert.equal(outcome(await billing.authorise(id, request)), "captured");
      assert.equal(outcome(await billing.void(id)), "payment-captured");
      const part = { amount: { amount: 900, currency: "AUD" } };
      assert.equal(outcome(await billing.refund(id, part)), "succeeded");
      assert.equal(outcome(await billing.refund(id, {})), "succeeded");
      assert.equal(outcome(await billing.payment(id)), "refunded");

      assert.deepEqual(stripe.ledger(id), [
        ...["authorised 8900", "captured 8900", "refunded 900", "refunded 8000"],
      ]);
      const [intent, ...more] = stripe.intentsOf(id);
      assert.deepEqual(more, []);
      assert.deepEqual(
        [intent?.currency, intent?.metadata],
        ["aud", { payment: id, order: request.order }],
      );
    }
  });

  it("calls Stripe once for simultaneous requests of one payment", async () => {
    for (let i = 0; i < 3; i++) {
      const id = randomUUID();
      const request = charge(CARD);
      const before = stripe.requests.length;
      await Promise.all(Array.from({ length: 6 }, () => billing.authorise(id, request)));
      assert.equal(
        outcome(await billing.retryUntilKnown(() => billing.authorise(id, request))),
        "authorised",
      );
      assert.deepEqual(stripe.requests.slice(before), ["create", "confirm"]);
    }
  });

  const declines: readonly [token: string, reason: string][] = [
    ["pm_card_visa_chargeDeclined", "declined"],
    ["pm_card_visa_chargeDeclinedLostCard", "declined"],
    ["pm_card_visa_chargeDeclinedInsufficientFunds", "insufficient_funds"],
    ["pm_card_chargeDeclinedExpiredCard", "expired_card"],
    ["pm_card_authenticationRequired", "authentication_required"],
    ["pm_nobody_knows", "invalid_token"],
    ["ctoken_unknown", "invalid_token"],
    ["anything at all", "invalid_token"],
  ];
  for (const [token, reason] of declines) {
    it(`declines ${token} permanently with reason ${reason}`, async () => {
      const { id, request } = await billing.createPayment(charge(token));
      const requests = stripe.requests.length;
      const answer = await billing.authorise(id, request);
      assert.deepEqual(answer.body, { id, status: "declined", reason });
      assert.equal(outcome(await billing.capture(id)), "payment-declined");
      assert.equal(outcome(await billing.void(id)), "declined");
      assert.equal(stripe.requests.length, requests, "Stripe gets no further request");
      assert.deepEqual(stripe.ledger(id), []);
    });
  }

  it("declines amounts and currencies that Stripe doesn't support", async () => {
    const amounts: readonly [amount: number, currency: string, reason: string][] = [
      [49, "AUD", "amount_too_small"],
      [100_000_000, "AUD", "amount_too_large"],
      [8_900, "XXX", "invalid_currency"],
    ];
    for (const [amount, currency, reason] of amounts) {
      const id = randomUUID();
      const answer = await billing.authorise(id, { ...charge(CARD), amount: { amount, currency } });
      assert.deepEqual(answer.body, { id, status: "declined", reason });
    }
  });

  const steps: Readonly<Record<"authorise" | "capture" | "void", readonly Operation[]>> = {
    authorise: ["create", "confirm"],
    capture: ["capture"],
    void: ["cancel"],
  };
  for (const step of ["authorise", "capture", "void"] as const) {
    for (const operation of steps[step]) {
      for (const fault of FAULTS) {
        it(`finds out the outcome of ${step} after fault "${fault}" in "${operation}"`, async () => {
          const id = randomUUID();
          const request = charge(CARD);
          const began = keyWindow();
          const call = () =>
            step === "authorise" ? billing.authorise(id, request) : billing[step](id);
          if (step !== "authorise") await billing.authorise(id, request);
          stripe.fail(operation, fault);

          const first = await call();
          assert.deepEqual([first.status, first.headers.get("retry-after")], [503, "1"]);
          // Stripe repeats its own failure for the same key for a day.
          if (operation === "create" && fault === "error") stripe.forgetKeys();
          const answer = await billing.retryUntilKnown(call);

          const done = { authorise: "authorised", capture: "captured", void: "voided" }[step];
          assert.equal(outcome(answer), done);
          assert.deepEqual(stripe.ledger(id), [
            "authorised 8900",
            ...{ authorise: [], capture: ["captured 8900"], void: ["canceled"] }[step],
          ]);
          // A lost PaymentIntent stays unconfirmed if the retry used the next time window's key.
          const lost = stripe.intentsOf(id).length - 1;
          assert.ok(lost >= 0 && lost <= keyWindow() - began, `${lost} superfluous PaymentIntents`);
        });
      }
    }
  }

  it("finds out the outcome of an authorisation a day later", async () => {
    for (const [token, status, ledger] of [
      [CARD, "authorised", ["authorised 8900"]],
      ["pm_card_visa_chargeDeclinedInsufficientFunds", "declined", []],
    ] as const) {
      const id = randomUUID();
      const request = charge(token);
      stripe.fail("confirm", "after");
      assert.equal((await billing.authorise(id, request)).status, 503);
      stripe.forgetKeys();
      assert.equal(outcome(await billing.authorise(id, request)), status);
      assert.deepEqual(stripe.ledger(id), ledger);
      assert.equal(stripe.intentsOf(id).length, 1);
    }
  });

  it("moves no money with a PaymentIntent whose id got lost", async () => {
    const id = randomUUID();
    const request = charge(CARD);
    stripe.fail("create", "after");
    await billing.authorise(id, request);
    stripe.forgetKeys();
    await billing.authorise(id, request);
    await billing.capture(id);
    assert.deepEqual(stripe.ledger(id), ["authorised 8900", "captured 8900"]);
    assert.deepEqual(
      stripe.intentsOf(id).map(({ status }) => status),
      ["requires_payment_method", "succeeded"],
    );
  });

  it("voids a payment with an unknown outcome and refuses it afterwards", async () => {
    for (const [operation, fault] of [
      ["create", "before"],
      ["create", "after"],
      ["confirm", "before"],
      ["confirm", "after"],
    ] as const) {
      const id = randomUUID();
      const request = charge(CARD);
      stripe.fail(operation, fault);
      assert.equal((await billing.authorise(id, request)).status, 503);
      assert.equal(outcome(await billing.void(id)), "voided");
      assert.equal(outcome(await billing.authorise(id, request)), "payment-voided");
      assert.ok(!stripe.intentsOf(id).some(({ status }) => status === "requires_capture"));
    }
  });

  it("leaves nothing held after a race of an authorisation and a void", async () => {
    for (let i = 0; i < 10; i++) {
      const id = randomUUID();
      await Promise.all([billing.authorise(id, charge(CARD)), billing.void(id)]);
      assert.equal(outcome(await billing.retryUntilKnown(() => billing.void(id))), "voided");
      assert.ok(["", "authorised 8900,canceled"].includes(stripe.ledger(id).join()));
    }
  });

  it("logs and counts a refusal that isn't the customer's fault", async () => {
    stripe.refuse("create", "testmode_charges_only");
    const id = randomUUID();
    const { body } = await billing.authorise(id, charge(CARD));
    assert.deepEqual(body, { id, status: "declined", reason: "payment_failed" });
    const { id: other } = await billing.createPayment(charge(CARD));
    stripe.refuse("cancel", "account_invalid");
    const answer = await billing.void(other);
    assert.deepEqual([answer.status, outcome(answer)], [409, "void-refused"]);

    const log = (await flushedLogs(billing.replicas.running)).split("\n");
    for (const code of ["testmode_charges_only", "account_invalid"])
      assert.ok(
        log.some((line) => /"level":"error"/.test(line) && line.includes(code)),
        code,
      );
    const metrics = await Promise.all(
      billing.replicas.running.map(async (one) => (await one.fetch("/metrics")).text()),
    );
    for (const call of ["authorise", "void"])
      assert.match(metrics.join(""), new RegExp(`call="${call}",answer="refused"} [1-9]`));
  });

  it("reports a payment as voided that Stripe cancelled after a week", async () => {
    const { id, request } = await billing.createPayment(charge(CARD));
    stripe.lapse(id);
    assert.equal(outcome(await billing.capture(id)), "payment-voided");
    assert.equal(outcome(await billing.payment(id)), "voided");
    assert.equal(outcome(await billing.authorise(id, request)), "payment-voided");
  });

  /** Returns the number of the ten-minute window in which a payment's idempotency key for Stripe stays the same. */
  function keyWindow(): number {
    return Math.floor(Date.now() / 600_000);
  }
});
