import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startStore, until, type TestStoreProcesses } from "@store/kit/testing";
import { StripeEmulator } from "../../../billing/test/support/stripeEmulator.ts";
import { fillCheckout, openCheckout } from "../support/purchase.ts";
import { locationOf, ShopClient } from "../support/shopClient.ts";

// The whole store with PAYMENT_PROVIDER=stripe, against an emulator of Stripe's API.
describe("the storefront of a store with Stripe", () => {
  let folder: string;
  let stripe: StripeEmulator;
  let store: TestStoreProcesses;
  let client: ShopClient;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "store-test-"));
    const keyFile = join(folder, "STRIPE_SECRET_KEY");
    writeFileSync(keyFile, `${StripeEmulator.KEY}\n`, { mode: 0o600 });
    stripe = new StripeEmulator();
    store = await startStore({
      billing: {
        PAYMENT_PROVIDER: "stripe",
        STRIPE_SECRET_KEY_FILE: keyFile,
        STRIPE_API_URL: await stripe.start(),
      },
    });
    client = new ShopClient(store.gateway.url);
  });
  after(async () => {
    await store.stop();
    await stripe.stop();
    rmSync(folder, { recursive: true });
  });

  /** Buys an item with one of Stripe's test cards. @returns the text of the order's page once the saga has ended. */
  const buyWith = async (token: string) => {
    const page = await openCheckout(client, { "MUG-STONE": 1 });
    assert.ok(page.text.includes(`value="${token}"`), `the checkout doesn't offer ${token}`);
    const path = locationOf(await client.post("/checkout", fillCheckout(page, { token })));
    let visibleText = "";
    await until("the order has ended", async () => {
      ({ visibleText } = await client.get(path));
      return !/We’ve received your order/.test(visibleText);
    });
    return visibleText;
  };

  it("confirms an order and charges the card once", async () => {
    assert.match(await buyWith("pm_card_visa"), /your order is confirmed/);
    assert.deepEqual(
      stripe.movements.map(({ description }) => description),
      ["authorised 2900", "captured 2900"],
    );
  });

  for (const [token, heading] of [
    ["pm_card_visa_chargeDeclined", /Your card was declined/],
    ["pm_card_visa_chargeDeclinedInsufficientFunds", /Your card has insufficient funds/],
    ["pm_card_chargeDeclinedExpiredCard", /Your card has expired/],
    ["pm_card_authenticationRequired", /Your bank requires verification/],
  ] as const) {
    it(`explains why the payment with ${token} was declined`, async () => {
      assert.match(await buyWith(token), heading);
      assert.equal(stripe.movements.length, 2);
    });
  }

  it("refuses a price in a currency that Stripe doesn't charge", async () => {
    const clerk = new ShopClient(store.gateway.url);
    await clerk.post("/office/login", { token: store.staff.token });
    const path = "/office/stock/MUG-STONE";
    const form = (await clerk.get(path)).form(path);
    const refused = await clerk.post(path, { ...form, currency: "IQD" });
    assert.equal(refused.status, 422);
    assert.match(refused.text, /id="currency-error">The payment provider stripe takes no payments/);
    await clerk.submit(path, { ...form, currency: "NZD" });
    const back = (await clerk.get(path)).form(path);
    await clerk.submit(path, { ...back, currency: "AUD" });
  });
});
