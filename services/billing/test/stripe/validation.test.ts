import assert from "node:assert/strict";
import { flushedLogs } from "@store/kit/testing";
import type { Billing } from "../support/billing.ts";
import { CARD, sharedStripeBilling, type StripeBilling } from "../support/stripeBilling.ts";
import { FAULTS, type StripeEmulator } from "../support/stripeEmulator.ts";
import { validCard } from "../support/stripeMethods.ts";

describe("the validation of a payment method with Stripe", function () {
  this.timeout(60_000);
  let billing: Billing;
  let stripe: StripeEmulator;
  let withKey: StripeBilling["withKey"];

  before(async () => {
    ({ billing, stripe, withKey } = await sharedStripeBilling());
  });
  afterEach(() => stripe.methods.clear());

  /** Validates a token. Returns the outcome and the requests that Stripe got. */
  const validate = async (token: string) => {
    const before = stripe.requests.length;
    const { status, body } = await billing.validate(token);
    return {
      outcome: status === 200 ? [body["status"], body["reason"]] : status,
      requests: stripe.requests.slice(before),
    };
  };

  it("accepts a card that exists, and only looks it up", async () => {
    const usable = ["usable", undefined];
    for (const token of [CARD, "pm_card_visa_chargeDeclined"])
      assert.deepEqual(await validate(token), { outcome: usable, requests: ["method"] });
    assert.deepEqual(await validate("ctoken_visa"), { outcome: usable, requests: ["token"] });
  });

  it("declines what Stripe doesn't know", async () => {
    const outcome = ["declined", "invalid_token"];
    assert.deepEqual(await validate("pm_nobody_knows"), { outcome, requests: ["method"] });
    assert.deepEqual(await validate("ctoken_nobody_knows"), { outcome, requests: ["token"] });
    stripe.refuse("method", "resource_missing", "id", 404);
    assert.deepEqual(await validate("pm_other"), { outcome, requests: ["method"] });
    for (const token of ["anything at all", "..", "pm_1/../../customers", "pm_1?expand=customer"])
      assert.deepEqual(await validate(token), { outcome, requests: [] }, token);
  });

  it("declines a payment method that is saved for a customer", async () => {
    stripe.methods.set("pm_saved", { ...validCard, customer: "cus_1" });
    stripe.methods.set("ctoken_saved", { ...validCard, customer: "cus_1" });
    for (const token of ["pm_saved", "ctoken_saved"])
      assert.deepEqual((await validate(token)).outcome, ["declined", "invalid_token"]);
  });

  it("declines a card after the end of its last month", async () => {
    const now = new Date();
    // The last month is declined only after its last day has ended everywhere.
    const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 2, 1));
    const card = { exp_month: month.getUTCMonth() + 1, exp_year: month.getUTCFullYear() };
    stripe.methods.set("pm_expired", { ...validCard, card });
    stripe.methods.set("ctoken_expired", { ...validCard, card });
    for (const token of ["pm_expired", "ctoken_expired"])
      assert.deepEqual((await validate(token)).outcome, ["declined", "expired_card"]);
    const valid = { exp_month: now.getUTCMonth() + 1, exp_year: now.getUTCFullYear() };
    stripe.methods.set("pm_last_month", { ...validCard, card: valid });
    assert.deepEqual((await validate("pm_last_month")).outcome, ["usable", undefined]);
  });

  it("declines a ConfirmationToken that expired before it was used", async () => {
    const expired = { expires_at: Math.floor(Date.now() / 1_000) - 1, payment_intent: null };
    stripe.methods.set("ctoken_late", { ...validCard, token: expired });
    assert.deepEqual((await validate("ctoken_late")).outcome, ["declined", "invalid_token"]);
    // An order is validated again if its worker died after the authorisation, which used the token.
    for (const expires_at of [null, expired.expires_at]) {
      const used = { expires_at, payment_intent: "pi_1" };
      stripe.methods.set("ctoken_used", { ...validCard, token: used });
      assert.deepEqual((await validate("ctoken_used")).outcome, ["usable", undefined]);
    }
  });

  it("accepts a payment method of another type: the authorisation will tell", async () => {
    stripe.methods.set("pm_wallet", { type: "link", customer: null });
    assert.deepEqual((await validate("pm_wallet")).outcome, ["usable", undefined]);
  });

  for (const fault of FAULTS) {
    it(`isn't known after the fault "${fault}", and is repeated`, async () => {
      stripe.fail("method", fault);
      assert.equal((await validate("pm_nobody_knows")).outcome, 503);
      assert.deepEqual((await validate("pm_nobody_knows")).outcome, ["declined", "invalid_token"]);
    });
  }

  it("isn't known with a wrong key", async () => {
    await withKey("sk_test_revoked", async () => {
      assert.equal((await validate(CARD)).outcome, 503);
    });
  });

  for (const [code, status] of [
    ["more_permissions_required", 403],
    ["account_invalid", 400],
  ] as const) {
    it(`is left to the authorisation if Stripe refuses with ${code}, which is logged without the token`, async () => {
      stripe.refuse("method", code, undefined, status);
      assert.deepEqual((await validate("pm_secret")).outcome, ["usable", undefined]);
      const log = await flushedLogs(billing.replicas.running);
      assert.match(log, new RegExp(`Stripe refused to retrieve a PaymentMethod: .*${code}`));
      assert.doesNotMatch(log, /pm_secret/);
    });
  }
});
