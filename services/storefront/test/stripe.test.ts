import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startStore, until, type TestStoreProcesses } from "@store/kit/testing";
import { StripeStandIn } from "../../billing/test/support/stripeEmulator.ts";
import { filledIn, toCheckout } from "./support/buying.ts";
import { locationOf, Visitor } from "./support/visitor.ts";

// The whole store with PAYMENT_PROVIDER=stripe, and a stand-in where Stripe would be.
describe("the storefront of a store with Stripe", function () {
  this.timeout(60_000);
  let folder: string;
  let stripe: StripeStandIn;
  let store: TestStoreProcesses;
  let visitor: Visitor;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "store-test-"));
    const keyFile = join(folder, "STRIPE_SECRET_KEY");
    writeFileSync(keyFile, `${StripeStandIn.KEY}\n`, { mode: 0o600 });
    stripe = new StripeStandIn();
    store = await startStore({
      billing: {
        PAYMENT_PROVIDER: "stripe",
        STRIPE_SECRET_KEY_FILE: keyFile,
        STRIPE_API_URL: await stripe.start(),
      },
    });
    visitor = new Visitor(store.gateway.url);
  });
  after(async () => {
    await store.stop();
    await stripe.stop();
    rmSync(folder, { recursive: true });
  });

  const buyWith = async (card: RegExp) => {
    const page = await toCheckout(visitor, { "MUG-STONE": 1 });
    const [, token] =
      [...page.text.matchAll(/value="(pm_[^"]+)"[\s\S]*?<strong>([^<]+)<\/strong>/g)]
        .map(([, token, name]) => [name ?? "", token ?? ""] as const)
        .find(([name]) => card.test(name)) ?? assert.fail(`no ${String(card)}: ${page.words}`);
    const path = locationOf(await visitor.post("/checkout", filledIn(page, { token })));
    let words = "";
    await until("the order has ended", async () => {
      ({ words } = await visitor.get(path));
      return !/We have your order/.test(words);
    });
    return words;
  };

  it("sells: Stripe's test card pays, and the money is taken once", async () => {
    assert.match(await buyWith(/^Card that pays$/), /Thank you, it’s yours/);
    assert.deepEqual(
      stripe.moved.map(({ what }) => what),
      ["authorised 2900", "captured 2900"],
    );
  });

  for (const [card, words] of [
    [/^Declined card$/, /Your card was declined/],
    [/^Empty card$/, /There isn’t enough on this card/],
    [/^Expired card$/, /This card has expired/],
    [/^Card with a question$/, /Your bank wanted to ask you/],
  ] as const) {
    it(`says what came of ${String(card)}`, async () => {
      assert.match(await buyWith(card), words);
      assert.equal(stripe.moved.length, 2);
    });
  }
});
