import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { currencies, minorUnitDigits } from "@store/kit";
import {
  fromStripeAmount,
  stripeCurrencies,
  toStripeAmount,
} from "../../src/providers/stripe/amounts.ts";
import { StripeProvider } from "../../src/providers/stripe/stripeProvider.ts";
import { StripeEmulator } from "../support/stripeEmulator.ts";

describe("amounts of money at Stripe", () => {
  const emulator = new StripeEmulator();
  let provider: StripeProvider;

  before(async () => {
    const url = await emulator.start();
    provider = new StripeProvider({ key: () => StripeEmulator.KEY, url, timeout: 10_000 });
  });
  after(() => emulator.stop());

  /** Authorises a payment. @returns the outcome, and a function that captures the payment and refunds a part. */
  const pay = async (amount: number, currency: string) => {
    const id = randomUUID();
    let reference: string | null = null;
    const outcome = await provider.authorise({
      ...{
        id,
        order: randomUUID(),
        amount: { amount, currency },
        token: "pm_card_visa",
        reference,
      },
      saveReference: (saved) => {
        reference = saved;
        return Promise.resolve();
      },
    });
    const refund = async (part: number) => {
      await provider.capture({ id, reference });
      return provider.refund({
        ...{ id: randomUUID(), payment: { id, reference }, amount: { amount: part, currency } },
      });
    };
    return { id, outcome, refund };
  };

  // Minor units in ISO 4217 and the units in which Stripe counts.
  const cases: readonly [currency: string, amount: number, atStripe: number][] = [
    ["AUD", 8_900, 8_900],
    ["HUF", 500_000, 500_000],
    ["JPY", 5_000, 5_000],
    ["ISK", 5_000, 500_000],
    ["UGX", 5_000, 500_000],
    ["MGA", 500_000, 5_000],
    ["KWD", 5_120, 5_120],
  ];
  for (const [currency, amount, atStripe] of cases) {
    it(`charges and refunds the shown amount in ${currency}`, async () => {
      const { id, outcome, refund } = await pay(amount, currency);
      assert.deepEqual(outcome, { status: "authorised" });
      assert.deepEqual(await refund(amount), { status: "succeeded" });
      assert.deepEqual(
        emulator.ledger(id).map((movement) => movement.split(" ")[1]),
        Array(3).fill(String(atStripe)),
      );
    });
  }

  it("are refused if Stripe can't express them", async () => {
    for (const [currency, amount] of [
      ["KWD", 5_124],
      ["MGA", 500_050],
    ] as const) {
      const reason = "amount_not_supported";
      const { outcome } = await pay(amount, currency);
      assert.deepEqual(outcome, { status: "declined", reason });
      const { refund } = await pay(500_000, currency);
      assert.deepEqual(await refund(amount % 1_000), { status: "failed", reason });
    }
  });

  it("can be expressed in each currency that is offered, and are read from reports as they are shown", () => {
    assert.ok(stripeCurrencies.length > 100);
    for (const currency of stripeCurrencies) {
      assert.ok(currencies.includes(currency));
      const unit = 10 ** minorUnitDigits(currency);
      const shown = { amount: 5 * unit, currency };
      const atStripe = toStripeAmount(shown) ?? assert.fail(currency);
      assert.deepEqual(fromStripeAmount(atStripe, currency.toLowerCase()), shown);
    }
  });
});
