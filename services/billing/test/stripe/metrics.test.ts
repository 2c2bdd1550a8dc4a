import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { until } from "@store/kit/testing";
import { charge, outcome, type Billing } from "../support/billing.ts";
import { CARD, sharedStripeBilling, type StripeBilling } from "../support/stripeBilling.ts";

describe("billing's metrics with Stripe", () => {
  let billing: Billing;
  let withKey: StripeBilling["withKey"];

  before(async () => {
    ({ billing, withKey } = await sharedStripeBilling());
  });

  it("include unknown payments, pending refunds and the provider's answers", async () => {
    const metric = async (name: string) => {
      const texts = await Promise.all(
        billing.replicas.running.map(async (one) => (await one.fetch("/metrics")).text()),
      );
      // A gauge counts the whole service in each replica; a counter counts its own replica.
      const values = texts.map((text) =>
        Number(
          text
            .split("\n")
            .find((line) => line.startsWith(`${name} `))
            ?.split(" ")[1] ?? NaN,
        ),
      );
      return name.includes("_total{")
        ? values.reduce((sum, value) => sum + (Number.isNaN(value) ? 0 : value), 0)
        : Math.max(...values);
    };
    const unknown = 'billing_payments_unknown{provider="stripe"}';
    const pending = 'billing_refunds_pending{provider="stripe"}';
    const oldest = 'billing_refunds_pending_oldest_seconds{provider="stripe"}';
    const calls = (call: string, answer: string) =>
      `billing_provider_calls_total{provider="stripe",call="${call}",answer="${answer}"}`;
    await billing.replicas.database.query(
      "UPDATE payments SET status = 'voided' WHERE status = 'pending'",
    );
    await until("nothing is pending", async () => (await metric(pending)) === 0);
    assert.deepEqual([await metric(unknown), await metric(oldest)], [0, 0]);

    const { id } = await billing.createPayment(charge(CARD), "capture");
    const other = { id: randomUUID(), request: charge(CARD) };
    const before = {
      unknown: await metric(calls("authorise", "unknown")),
      authorised: await metric(calls("authorise", "authorised")),
      refunded: await metric(calls("refund", "succeeded")),
    };
    await withKey("sk_test_revoked", async () => {
      assert.equal((await billing.authorise(other.id, other.request)).status, 503);
      await billing.refund(id, {});
      assert.deepEqual([await metric(unknown), await metric(pending)], [1, 1]);
      assert.equal(await metric(calls("authorise", "unknown")), before.unknown + 1);
      await billing.replicas.database.query(
        "UPDATE refunds SET created_at = created_at - interval '1 hour' WHERE payment_id = $1",
        [id],
      );
      const seconds = await metric(oldest);
      assert.ok(seconds >= 3_600 && seconds < 3_700, `${seconds} s`);
    });
    assert.equal(
      outcome(await billing.retryUntilKnown(() => billing.authorise(other.id, other.request))),
      "authorised",
    );
    await until("the payment is refunded", async () => (await metric(pending)) === 0);
    assert.deepEqual([await metric(unknown), await metric(oldest)], [0, 0]);
    assert.equal(await metric(calls("authorise", "authorised")), before.authorised + 1);
    assert.equal(await metric(calls("refund", "succeeded")), before.refunded + 1);
  });

  it("leave out the counts while billing's tables are locked for longer than the statement timeout", async () => {
    const { database, running } = billing.replicas;
    const connection = await database.connect();
    let metrics: string | undefined;
    try {
      await connection.query("BEGIN; LOCK TABLE payments, refunds");
      metrics = await (await running[0]?.fetch("/metrics"))?.text();
    } finally {
      await connection.end();
    }
    assert.match(metrics ?? "", /^http_request_duration_seconds_count\{/m);
    assert.doesNotMatch(metrics ?? "", /^billing_(payments_unknown|refunds_pending)/m);
  });
});
