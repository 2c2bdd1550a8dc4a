import assert from "node:assert/strict";
import { currencies } from "@store/kit";
import { Billing, charge } from "./support/billing.ts";

describe("billing's payment methods", () => {
  let billing: Billing;

  before(async () => {
    billing = await Billing.start({ SIMULATED_SLOW_MS: "100" });
  });
  after(() => billing.stop());

  it("are the simulated provider's five cards, which move no money, without authentication", async () => {
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
    assert.deepEqual(body.currencies, currencies);
    for (const { name, description } of body.methods) assert.ok(name !== "" && description !== "");
  });

  it("are validated without their bank, unknown tokens are declined, and nothing is stored", async () => {
    for (const { token } of (await billing.methods()).body.methods)
      assert.equal((await billing.validate(token)).body["status"], "usable", token);
    const { status, body } = await billing.validate("tok_nonsense");
    assert.equal(status, 200);
    assert.deepEqual([body["status"], body["reason"]], ["declined", "invalid_token"]);
    const stored = await billing.replicas.database.query(
      "SELECT id FROM payments UNION ALL SELECT id FROM simulated_charges",
    );
    assert.deepEqual(stored, []);
  });

  it("lead to their announced outcomes", async () => {
    const { methods } = (await billing.methods()).body;
    for (const { token, outcome, reason } of methods) {
      const { id, request } = await billing.createPayment(charge(token));
      const { body } = await billing.retryUntilKnown(() => billing.authorise(id, request));
      assert.deepEqual([body["status"], body["reason"]], [outcome, reason], token);
    }
  });
});
