import assert from "node:assert/strict";
import { Billing, charge } from "./support/billing.ts";

describe("what billing can be paid with", function () {
  this.timeout(60_000);
  let billing: Billing;

  before(async () => {
    billing = await Billing.start({ SIMULATED_SLOW_MS: "100" });
  });
  after(() => billing.stop());

  it("is the simulated provider's five cards, for everybody to read, and no money moves", async () => {
    const { status, headers, body } = await billing.methods();
    assert.equal(status, 200);
    assert.equal(headers.get("cache-control"), "no-store");
    assert.deepEqual([body.provider, body.movesMoney], ["simulated", false]);
    assert.deepEqual(
      body.methods.map(({ token, outcome, reason }) => [token, outcome, reason]),
      [
        ["tok_ok", "authorised", undefined],
        ["tok_slow", "authorised", undefined],
        ["tok_flaky", "authorised", undefined],
        ["tok_declined", "declined", "declined"],
        ["tok_insufficient_funds", "declined", "insufficient_funds"],
      ],
    );
    for (const { name, description } of body.methods) assert.ok(name !== "" && description !== "");
  });

  it("comes to what is said of it", async () => {
    const { methods } = (await billing.methods()).body;
    for (const { token, outcome, reason } of methods) {
      const { id, request } = await billing.paid(charge(token));
      const { body } = await billing.insist(() => billing.authorise(id, request));
      assert.deepEqual([body["status"], body["reason"]], [outcome, reason], token);
    }
  });
});
