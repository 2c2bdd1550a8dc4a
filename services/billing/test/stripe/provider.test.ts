import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { UnknownOutcomeError, type AuthorisationRequest } from "../../src/providers/provider.ts";
import { StripeProvider } from "../../src/providers/stripe/stripeProvider.ts";
import { StripeEmulator } from "../support/stripeEmulator.ts";

describe("the Stripe provider", () => {
  const stripe = new StripeEmulator();
  let provider: StripeProvider;

  before(async () => {
    const url = await stripe.start();
    provider = new StripeProvider({ key: () => StripeEmulator.KEY, url, timeout: 10_000 });
  });
  after(() => stripe.stop());

  /** A payment as billing keeps it: it stores the PaymentIntent's id. */
  const newPayment = (token = "pm_card_visa") => {
    const payment = { id: randomUUID(), reference: null as string | null };
    const request = (): AuthorisationRequest => ({
      ...{ ...payment, order: randomUUID(), amount: { amount: 8_900, currency: "AUD" }, token },
      saveReference: (reference) => {
        payment.reference = reference;
        return Promise.resolve();
      },
    });
    return { payment, request };
  };

  it("holds nothing after a decline, even if another replica confirms late", async () => {
    const { payment, request } = newPayment();
    let resume: () => void = () => undefined;
    const frozen = new Promise<void>((resolve) => (resume = resolve));
    const { saveReference, ...late } = request();
    let lateOutcome: Promise<unknown> | undefined;
    await new Promise<void>((stored) => {
      lateOutcome = provider.authorise({
        ...late,
        saveReference: async (reference) => {
          await saveReference(reference);
          stored();
          await frozen;
        },
      });
    });
    stripe.declineOnce();
    const declined = { status: "declined", reason: "declined" };
    assert.deepEqual(await provider.authorise(request()), declined);
    resume();
    assert.deepEqual(await lateOutcome, declined);
    assert.deepEqual(await provider.authorise(request()), declined, "asked again");
    assert.deepEqual(stripe.ledger(payment.id), []);
  });

  it("keeps the reason for a decline if the process dies before billing stored it", async () => {
    const { payment, request } = newPayment("pm_card_chargeDeclinedExpiredCard");
    const declined = { status: "declined", reason: "expired_card" };
    for (let i = 0; i < 3; i++) assert.deepEqual(await provider.authorise(request()), declined);
    assert.deepEqual(
      stripe.intentsOf(payment.id).map(({ status }) => status),
      ["canceled"],
    );
  });

  it("cancels an earlier release's declined PaymentIntent when it is asked again", async () => {
    const { payment, request } = newPayment("pm_card_visa_chargeDeclinedInsufficientFunds");
    stripe.fail("confirm", "after");
    await assert.rejects(provider.authorise(request()));
    const declined = { status: "declined", reason: "insufficient_funds" };
    assert.deepEqual(await provider.authorise(request()), declined);
    assert.equal(stripe.intentsOf(payment.id)[0]?.status, "canceled");
  });

  for (const [operation, code, param] of [
    ["create", "testmode_charges_only", undefined],
    ["create", "parameter_unknown", "amount"],
    ["confirm", "testmode_charges_only", undefined],
    ["confirm", "parameter_unknown", "confirmation_token"],
    ["confirm", "payment_intent_invalid_parameter", "payment_method_types"],
  ] as const) {
    it(`tells a refusal to ${operation} with ${code} (${param ?? "no parameter"}) from a decline by the bank`, async () => {
      const { payment, request } = newPayment();
      stripe.refuse(operation, code, param);
      const outcome = await provider.authorise(request());
      assert.ok("refusal" in outcome && outcome.refusal !== undefined);
      const { refusal, ...declined } = outcome;
      assert.deepEqual(declined, { status: "declined", reason: "payment_failed" });
      const details = param === undefined ? code : `${code}, ${param}`;
      assert.match(
        refusal,
        new RegExp(`refused to ${operation}: .*\\(${details}\\) \\(request req_`),
      );
      assert.deepEqual(stripe.ledger(payment.id), []);
      const { status = "canceled" } = stripe.intentsOf(payment.id)[0] ?? {};
      assert.equal(status, "canceled");
    });
  }

  it("asks again if Stripe knows the idempotency key from another request", async () => {
    const { request } = newPayment();
    const { id, order } = request();
    stripe.fail("create", "after");
    await assert.rejects(provider.authorise({ ...request(), id, order }), UnknownOutcomeError);
    const other = { amount: 8_901, currency: "AUD" };
    await assert.rejects(
      provider.authorise({ ...request(), id, order, amount: other }),
      UnknownOutcomeError,
    );
  });

  for (const code of ["charge_expired_for_capture", "capture_charge_authorization_expired"]) {
    it(`reports a payment as voided if Stripe refuses the capture with ${code}`, async () => {
      const { payment, request } = newPayment();
      await provider.authorise(request());
      stripe.refuse("capture", code);
      assert.equal(await provider.capture(payment), "voided");
      assert.equal(await provider.capture(payment), "voided", "asked again");
      assert.deepEqual(stripe.ledger(payment.id), ["authorised 8900", "canceled"]);
    });
  }

  it("reports a payment as voided if it can no longer be captured", async () => {
    const { payment, request } = newPayment();
    await provider.authorise(request());
    const [intent] = stripe.intentsOf(payment.id);
    assert.ok(intent !== undefined);
    intent.status = "requires_payment_method";
    assert.equal(await provider.capture(payment), "voided");
    assert.equal(intent.status, "canceled");
  });

  it("passes on another refusal of the capture and keeps the payment", async () => {
    const { payment, request } = newPayment();
    await provider.authorise(request());
    stripe.refuse("capture", "account_invalid");
    await assert.rejects(provider.capture(payment), refusal("capture", "account_invalid"));
    assert.equal(await provider.capture(payment), "captured");
  });

  it("passes on a refusal of the void and keeps the payment", async () => {
    const { payment, request } = newPayment();
    await provider.authorise(request());
    stripe.refuse("cancel", "account_invalid");
    await assert.rejects(provider.void(payment), refusal("void", "account_invalid"));
    assert.equal(await provider.void(payment), "voided");
  });

  it("passes on a refusal to void a payment that can no longer be captured", async () => {
    const { payment, request } = newPayment();
    await provider.authorise(request());
    stripe.refuse("capture", "charge_expired_for_capture");
    stripe.refuse("cancel", "account_invalid");
    await assert.rejects(provider.capture(payment), refusal("capture", "account_invalid"));
  });

  it("ends a refund that Stripe refuses for whatever reason", async () => {
    const { payment, request } = newPayment();
    await provider.authorise(request());
    await provider.capture(payment);
    const amount = { amount: 900, currency: "AUD" };
    const refund = () => provider.refund({ id: randomUUID(), payment, amount });
    stripe.refuse("refund", "charge_disputed");
    assert.deepEqual(await refund(), {
      status: "failed",
      reason: "charge_disputed",
    });
    stripe.refuse("refund", "balance_insufficient");
    const { refusal, ...failed } = { refusal: "", ...(await refund()) };
    assert.deepEqual(failed, { status: "failed", reason: "balance_insufficient" });
    assert.match(refusal, /refused to refund: .*balance_insufficient/);
  });

  describe("with the key of another account", () => {
    const otherAccount = { name: "UnknownOutcomeError", message: /STRIPE_SECRET_KEY_FILE/ };

    for (const call of ["authorise", "capture", "void", "refund"] as const) {
      it(`doesn't take the unknown PaymentIntent for a refusal of ${call}`, async () => {
        const { payment, request } = newPayment();
        await provider.authorise(request());
        if (call === "refund") await provider.capture(payment);
        stripe.forgetIntents(payment.id);
        const amount = { amount: 900, currency: "AUD" };
        const outcome = {
          authorise: () => provider.authorise(request()),
          capture: () => provider.capture(payment),
          void: () => provider.void(payment),
          refund: () => provider.refund({ id: randomUUID(), payment, amount }),
        }[call]();
        await assert.rejects(outcome, otherAccount);
      });
    }

    it("doesn't take the unknown PaymentIntent for a decline of the confirmation", async () => {
      const { payment, request } = newPayment();
      const { saveReference, ...rest } = request();
      const outcome = provider.authorise({
        ...rest,
        saveReference: async (reference) => {
          await saveReference(reference);
          stripe.forgetIntents(payment.id);
        },
      });
      await assert.rejects(outcome, otherAccount);
    });
  });

  it("doesn't know the outcome if Stripe refuses to show it", async () => {
    const { payment, request } = newPayment();
    await provider.authorise(request());
    stripe.refuse("retrieve", "account_invalid");
    await assert.rejects(provider.authorise(request()), UnknownOutcomeError);
    await provider.capture(payment);
    stripe.refuse("list", "account_invalid");
    const amount = { amount: 900, currency: "AUD" };
    await assert.rejects(
      provider.refund({ id: randomUUID(), payment, amount }),
      UnknownOutcomeError,
    );
  });

  function refusal(action: "capture" | "void", reason: string) {
    return { name: "ProviderRefusal", action, reason, message: /account_invalid.* \(request req_/ };
  }
});
