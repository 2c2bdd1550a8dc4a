import assert from "node:assert/strict";
import { alertText } from "../../src/office/orders/paymentAlerts.ts";

describe("the office's text about a failed refund", () => {
  const textFor = (reason: string): string =>
    alertText({
      ...{ id: 1, kind: "refund_failed", subject: "refund", reason, at: "2026-01-01T00:00:00Z" },
      amount: { amount: 2_900, currency: "AUD" },
    }).markup.replaceAll(/\s+/g, " ");

  it("asks for another refund while the store has the money", () => {
    assert.match(textFor("lost_or_stolen_card"), /The store still has the money: refund it again/);
  });

  it("asks for a refund after a dispute that the store has won, unless it was paid meanwhile", () => {
    assert.match(
      textFor("dispute_won"),
      /The store has won the dispute, and has the money: refund it, unless/,
    );
  });

  it("doesn't ask for a payment to a customer whom the payment provider has refunded already", () => {
    const text = textFor("charge_already_refunded");
    assert.match(text, /has refunded it already: check its dashboard, and don’t pay again/);
    assert.doesNotMatch(text, /still has the money/);
  });

  for (const reason of ["charge_disputed", "refund_disputed_payment"]) {
    it(`leaves the money to the dispute: ${reason}`, () => {
      assert.match(textFor(reason), /The dispute decides who gets the money\./);
      assert.doesNotMatch(textFor(reason), /still has the money/);
    });
  }
});
