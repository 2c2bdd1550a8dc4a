import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import {
  createDatabase,
  createStaff,
  flushedLogs,
  StartupError,
  startService,
  until,
} from "@store/kit/testing";
import { charge, outcome, type Billing } from "../support/billing.ts";
import { CARD, sharedStripeBilling, type StripeBilling } from "../support/stripeBilling.ts";
import type { StripeEmulator } from "../support/stripeEmulator.ts";

describe("billing with Stripe's secret key", () => {
  let billing: Billing;
  let stripe: StripeEmulator;
  let withKey: StripeBilling["withKey"];

  before(async () => {
    ({ billing, stripe, withKey } = await sharedStripeBilling());
  });

  it("logs how to fix a rejected key and uses a new key without a restart", async () => {
    const id = randomUUID();
    const request = charge(CARD);
    await withKey("sk_test_revoked", async () => {
      assert.equal((await billing.authorise(id, request)).status, 503);
      const advice =
        /^The payment provider: Stripe rejected the secret key\..* STRIPE_SECRET_KEY_FILE/;
      await until("a replica logs how to fix the key", () =>
        billing.replicas.running.some(({ log }) => log.some(({ msg }) => advice.test(msg))),
      );
    });
    assert.equal(outcome(await billing.authorise(id, request)), "authorised");
  });

  it("offers Stripe's test cards with a test key, and each leads to its announced outcome", async () => {
    const { provider, movesMoney, methods } = (await billing.methods()).body;
    assert.deepEqual([provider, movesMoney], ["stripe", false]);
    // The ids in https://docs.stripe.com/testing.
    assert.deepEqual(
      methods.map(({ token }) => token),
      [
        "pm_card_visa",
        "pm_card_visa_chargeDeclined",
        "pm_card_visa_chargeDeclinedInsufficientFunds",
        "pm_card_chargeDeclinedExpiredCard",
        "pm_card_authenticationRequired",
      ],
    );
    for (const { token, name, description, outcome: expected, reason } of methods) {
      assert.ok(name !== "" && description !== "");
      const { id, request } = await billing.createPayment(charge(token));
      const { body } = await billing.authorise(id, request);
      assert.deepEqual([body["status"], body["reason"]], [expected, reason], token);
    }
  });

  it("offers no payment methods with a live key: cards are entered into Stripe's own form", async () => {
    for (const key of ["sk_live_51", "rk_live_51", "something else"]) {
      await withKey(key, async () => {
        const { provider, movesMoney, methods } = (await billing.methods()).body;
        assert.deepEqual([provider, movesMoney, methods], ["stripe", true, []], key);
      });
    }
    await withKey("rk_test_51", async () => {
      assert.equal((await billing.methods()).body.methods.length, 5);
    });
  });

  it("refuses to start without a readable key file", async () => {
    const { environment } = await createDatabase();
    const variables = { ...environment, ...createStaff().environment, PAYMENT_PROVIDER: "stripe" };
    for (const [file, problem] of [
      ["", /STRIPE_SECRET_KEY_FILE is missing/],
      ["/nonexistent/STRIPE_SECRET_KEY", /STRIPE_SECRET_KEY_FILE names a file that can't be read/],
    ] as const) {
      const start = startService("billing", { ...variables, STRIPE_SECRET_KEY_FILE: file });
      await assert.rejects(start, (error) => {
        assert.ok(error instanceof StartupError);
        assert.match(error.lines.join(), problem);
        assert.equal(error.lines.length, 1);
        return true;
      });
    }
  });

  it("logs no token and no key", async () => {
    stripe.fail("confirm", "error");
    for (const token of [CARD, "ctoken_unknown", "anything at all"])
      await billing.authorise(randomUUID(), charge(token));
    const log = await flushedLogs(billing.replicas.running);
    assert.match(log, /The payment provider: Stripe: confirm: StripeAPIError/);
    for (const secret of ["pm_", "ctoken_", "sk_test_", "anything at all"])
      assert.ok(!log.includes(secret), secret);
  });
});
