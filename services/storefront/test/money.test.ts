import assert from "node:assert/strict";
import { currencies } from "@store/kit";
import { formatAmount, formatMoney, parseAmount } from "../src/html/money.ts";

/** Digits of the minor unit in ISO 4217, for currencies that don't have two. */
const digits: Readonly<Record<string, number>> = {
  ...{ BIF: 0, CLP: 0, DJF: 0, GNF: 0, ISK: 0, JPY: 0, KMF: 0, KRW: 0, PYG: 0, RWF: 0, UGX: 0 },
  ...{ VND: 0, VUV: 0, XAF: 0, XOF: 0, XPF: 0 },
  ...{ BHD: 3, IQD: 3, JOD: 3, KWD: 3, LYD: 3, OMR: 3, TND: 3 },
};

describe("amounts of money on the pages", () => {
  it("have the digits of ISO 4217 in each currency", () => {
    for (const currency of currencies) {
      const money = { amount: 1_234_567, currency };
      const fraction = "1234567".slice(7 - (digits[currency] ?? 2));
      const text =
        fraction === "" ? "1234567" : `${"1234567".slice(0, -fraction.length)}.${fraction}`;
      assert.equal(formatAmount(money), text, currency);
      assert.equal(formatMoney(money).replace(/^\D+/, "").replaceAll(",", ""), text, currency);
      assert.deepEqual(parseAmount(text, currency), money);
    }
  });

  it("count a price in forints in hundredths, as payment providers do", () => {
    assert.deepEqual(parseAmount("5000", "HUF"), { amount: 500_000, currency: "HUF" });
    assert.equal(parseAmount("5000.5", "JPY"), undefined);
  });

  it("are read up to the largest exact number, and refused beyond it", () => {
    for (const [text, currency, amount] of [
      ["1000000000", "IDR", 100_000_000_000],
      ["90071992547409.91", "AUD", Number.MAX_SAFE_INTEGER],
      ["9007199254740991", "JPY", Number.MAX_SAFE_INTEGER],
    ] as const)
      assert.deepEqual(parseAmount(text, currency), { amount, currency });
    for (const text of ["90071992547409.92", "9007199254740992", "99999999999999999999"])
      assert.equal(parseAmount(text, "AUD"), undefined);
  });
});
