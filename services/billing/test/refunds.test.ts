import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { until } from "@store/kit/testing";
import { Billing, charge, outcome } from "./support/billing.ts";

const aud = (amount: number) => ({ amount: { amount, currency: "AUD" } });

describe("refunds", function () {
  this.timeout(60_000);
  let billing: Billing;

  before(async () => {
    billing = await Billing.start({ REFUND_POLL_MS: "100" });
  });
  after(() => billing.stop());

  /** Keeps a refund as it is before the provider is called, and for as long as somebody may still be at it. */
  async function setAside(payment: string, amount: number, leasedFor: string): Promise<string> {
    const refund = randomUUID();
    await billing.replicas.database.query(
      `WITH set_aside AS (UPDATE payments SET refunded = $3 WHERE id = $2)
       INSERT INTO refunds (id, payment_id, request_hash, amount, status, lease, leased_until)
       VALUES ($1, $2, '', $3, 'pending', gen_random_uuid(), now() + $4::interval)`,
      [refund, payment, amount, leasedFor],
    );
    return refund;
  }

  it("pay back a part, and then the rest", async () => {
    const { id, request } = await billing.paid(charge("tok_ok"), "capture");

    const part = await billing.refund(id, { ...aud(900), reason: "a scratch" });
    assert.equal(part.status, 201);
    assert.deepEqual(part.body, {
      ...{ id: part.body["id"], payment: id, ...aud(900), status: "succeeded" },
      ...{ reason: "a scratch", createdAt: part.body["createdAt"] },
    });
    const between = (await billing.payment(id)).body;
    assert.deepEqual([between["status"], between["refunded"]], ["captured", aud(900).amount]);
    const rest = await billing.refund(id, {});
    assert.deepEqual(rest.body["amount"], aud(8_000).amount);

    const { body } = await billing.payment(id);
    assert.deepEqual([body["status"], body["refunded"]], ["refunded", aud(8_900).amount]);
    assert.deepEqual(body["refunds"], [part.body, rest.body]);
    assert.deepEqual(await billing.ledger(request.order), [
      ...["authorised 8900", "captured 8900", "refunded 900", "refunded 8000"],
    ]);
  });

  it("never pay back more than was taken", async () => {
    const { id, request } = await billing.paid(charge("tok_ok"), "capture");
    const much = await billing.refund(id, aud(8_901));
    assert.deepEqual([much.status, outcome(much)], [409, "refund-exceeds"]);
    assert.deepEqual(much.body["errors"], [
      { in: "body", pointer: "/amount/amount", message: "must be at most 8900" },
    ]);
    await billing.refund(id, aud(8_000));
    assert.equal(outcome(await billing.refund(id, aud(901))), "refund-exceeds");
    assert.equal(outcome(await billing.refund(id, aud(900))), "succeeded");
    for (const body of [{}, aud(1)])
      assert.equal(outcome(await billing.refund(id, body)), "refund-exceeds");
    assert.equal((await billing.ledger(request.order)).length, 4);
  });

  it("pay nothing back of what cost nothing, which an early release took", async () => {
    const { id } = await billing.paid(charge("tok_ok"), "capture");
    await billing.replicas.database.query("UPDATE payments SET amount = 0 WHERE id = $1", [id]);
    const answer = await billing.refund(id, {});
    assert.deepEqual([answer.status, outcome(answer)], [409, "refund-exceeds"]);
  });

  it("know sums above 2,147,483,647 minor units: paid back where there is that much, refused where not", async () => {
    const few = await billing.paid(charge("tok_ok"), "capture");
    const much = await billing.refund(few.id, aud(2_147_483_648));
    assert.deepEqual([much.status, outcome(much)], [409, "refund-exceeds"]);

    const { id, request } = await billing.paid(charge("tok_ok", 3_000_000_000), "capture");
    assert.equal(outcome(await billing.refund(id, aud(2_147_483_648))), "succeeded");
    assert.equal(outcome(await billing.refund(id, aud(852_516_353))), "refund-exceeds");
    assert.equal(outcome(await billing.refund(id, aud(852_516_352))), "succeeded");
    assert.deepEqual((await billing.ledger(request.order)).slice(2), [
      ...["refunded 2147483648", "refunded 852516352"],
    ]);
  });

  it("never pay back more than was taken when they come at the same moment", async () => {
    for (let i = 0; i < 5; i++) {
      const { id, request } = await billing.paid(charge("tok_ok"), "capture");
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => billing.refund(id, aud(2_000))),
      );
      assert.deepEqual(answers.map(outcome).sort(), [
        ...Array<string>(4).fill("refund-exceeds"),
        ...Array<string>(4).fill("succeeded"),
      ]);
      const { body } = await billing.payment(id);
      assert.deepEqual([body["status"], body["refunded"]], ["captured", aud(8_000).amount]);
      assert.equal((await billing.ledger(request.order)).length, 6);
    }
  });

  it("that together are all of it end as refunded, also when they come at the same moment", async () => {
    for (let i = 0; i < 5; i++) {
      const { id } = await billing.paid(charge("tok_ok", 800), "capture");
      await Promise.all(Array.from({ length: 8 }, () => billing.refund(id, aud(100))));
      assert.equal(outcome(await billing.payment(id)), "refunded");
    }
  });

  describe("under an idempotency-key", () => {
    it("are made once, however often and at how many replicas they are asked for", async () => {
      const { id, request } = await billing.paid(charge("tok_ok"), "capture");
      const key = randomUUID();
      const answers = await Promise.all(
        Array.from({ length: 6 }, () => billing.refund(id, aud(100), key)),
      );
      const later = await billing.refund(id, aud(100), key);
      assert.equal(outcome(later), "succeeded");
      for (const { status, body } of answers)
        assert.deepEqual([status, body["id"]], [201, later.body["id"]]);
      assert.equal((await billing.ledger(request.order)).length, 3);
    });

    it("are refused with another body, and free for another payment", async () => {
      const one = await billing.paid(charge("tok_ok"), "capture");
      const other = await billing.paid(charge("tok_ok"), "capture");
      const key = randomUUID();
      await billing.refund(one.id, aud(100), key);
      for (const body of [aud(101), {}, { ...aud(100), reason: "late" }]) {
        const answer = await billing.refund(one.id, body, key);
        assert.deepEqual([answer.status, outcome(answer)], [422, "idempotency-key-reused"]);
      }
      assert.equal(outcome(await billing.refund(other.id, aud(100), key)), "succeeded");
      for (const { request } of [one, other])
        assert.equal((await billing.ledger(request.order)).length, 3);
    });

    it("that would be too much are asked anew: a refusal isn't kept", async () => {
      const { id } = await billing.paid(charge("tok_ok"), "capture");
      const key = randomUUID();
      assert.equal(outcome(await billing.refund(id, aud(9_000), key)), "refund-exceeds");
      assert.equal(outcome(await billing.refund(id, aud(8_900), key)), "succeeded");
    });
  });

  it("are refused for what wasn't captured", async () => {
    const authorised = await billing.paid(charge("tok_ok"));
    const declined = await billing.paid(charge("tok_declined"));
    const voided = await billing.paid(charge("tok_ok"), "void");
    for (const { id } of [authorised, declined, voided]) {
      const answer = await billing.refund(id, {});
      assert.deepEqual([answer.status, outcome(answer)], [409, "payment-not-captured"]);
    }
    assert.equal((await billing.refund(randomUUID(), {})).status, 404);
  });

  it("that are wrong are told which field is wrong", async () => {
    const { id, request } = await billing.paid(charge("tok_ok"), "capture");
    const wrong: readonly [body: object, pointer: string][] = [
      ...[0, -1, 1.5, 1e21, "1"].map((amount): [object, string] => [
        { amount: { amount, currency: "AUD" } },
        "/amount/amount",
      ]),
      [{ amount: { amount: 1, currency: "aud" } }, "/amount/currency"],
      [{ amount: { amount: 1 } }, "/amount/currency"],
      [{ amount: 100 }, "/amount"],
      [{ reason: "" }, "/reason"],
      [{ amonut: { amount: 1, currency: "AUD" } }, "/amonut"],
    ];
    for (const [body, pointer] of wrong) {
      const answer = await billing.refund(id, body);
      assert.deepEqual([answer.status, outcome(answer)], [400, "validation"]);
      const [error] = answer.body["errors"] as readonly { readonly pointer: string }[];
      assert.equal(error?.pointer, pointer, JSON.stringify(body));
    }
    const dollars = await billing.refund(id, { amount: { amount: 1, currency: "USD" } });
    assert.deepEqual([dollars.status, outcome(dollars)], [422, "currency-differs"]);
    assert.equal(outcome(await billing.refund(id, {}, "two words")), "validation");
    assert.equal((await billing.ledger(request.order)).length, 2);
  });

  it("whose process died are carried out by another, once", async () => {
    const { id, request } = await billing.paid(charge("tok_ok"), "capture");
    await setAside(id, 8_900, "5 seconds");
    assert.equal(outcome(await billing.refund(id, aud(1))), "refund-exceeds");
    assert.deepEqual((await billing.ledger(request.order)).slice(2), []);

    await until("it is carried out", async () => outcome(await billing.payment(id)) === "refunded");
    assert.deepEqual((await billing.ledger(request.order)).slice(2), ["refunded 8900"]);
  });

  it("leave a payment captured for as long as one of them may fail yet", async () => {
    const { id } = await billing.paid(charge("tok_ok"), "capture");
    const pending = await setAside(id, 900, "1 hour");
    assert.equal(outcome(await billing.refund(id, {})), "succeeded");
    assert.equal(outcome(await billing.payment(id)), "captured");
    await billing.replicas.database.query("UPDATE refunds SET leased_until = now() WHERE id = $1", [
      pending,
    ]);
    await until("all is paid back", async () => outcome(await billing.payment(id)) === "refunded");
  });

  it("of a payment of another provider are left to that one, new ones and those on their way", async () => {
    const { id, request } = await billing.paid(charge("tok_ok"), "capture");
    await billing.replicas.database.query("UPDATE payments SET provider = 'stripe' WHERE id = $1", [
      id,
    ]);
    const pending = await setAside(id, 900, "0 seconds");
    assert.equal((await billing.refund(id, {})).status, 503);
    // Many looks for refunds that are due.
    await new Promise((resolve) => setTimeout(resolve, 700));
    const { body } = await billing.payment(id);
    assert.deepEqual(body["refunded"], aud(900).amount);
    const refunds = body["refunds"] as readonly { readonly id: string; readonly status: string }[];
    assert.deepEqual(
      refunds.map((refund) => [refund.id, refund.status]),
      [[pending, "pending"]],
    );
    assert.equal((await billing.ledger(request.order)).length, 2);
  });

  it("that the provider did before the process died are found to be done", async () => {
    const { id, request } = await billing.paid(charge("tok_ok"), "capture");
    const { body } = await billing.refund(id, aud(8_900));
    // Both at once: whoever looks for pending ones may come at any moment.
    await billing.replicas.database.query(
      `WITH payment AS (UPDATE payments SET status = 'captured' WHERE id = $2)
       UPDATE refunds SET status = 'pending', next_attempt_at = now() WHERE id = $1`,
      [body["id"], id],
    );
    await until("it is found", async () => outcome(await billing.payment(id)) === "refunded");
    assert.deepEqual((await billing.ledger(request.order)).slice(2), ["refunded 8900"]);
  });

  it("that the provider refuses for good say so, and their sum is free again", async () => {
    const id = randomUUID();
    await billing.replicas.database.query(
      `INSERT INTO payments (id, order_id, status, amount, currency, provider)
       VALUES ($1, $2, 'captured', 500, 'AUD', 'simulated')`,
      [id, randomUUID()],
    );
    const answer = await billing.refund(id, aud(500));
    assert.equal(answer.status, 201);
    assert.deepEqual(
      [answer.body["status"], answer.body["failure"]],
      ["failed", "charge_not_captured"],
    );
    const { body } = await billing.payment(id);
    assert.deepEqual([body["status"], body["refunded"]], ["captured", aud(0).amount]);
  });

  it("give their sum free once, also when whoever carried them out has lost them meanwhile", async () => {
    const { database } = billing.replicas;
    const [payment, refund] = [randomUUID(), randomUUID()];
    const settling = await database.connect();
    await settling.query("BEGIN");
    try {
      await database.query(
        `INSERT INTO payments (id, order_id, status, amount, currency, provider, refunded)
         VALUES ($1, gen_random_uuid(), 'captured', 1000, 'AUD', 'simulated', 1000)`,
        [payment],
      );
      await database.query(
        `INSERT INTO refunds (id, payment_id, request_hash, amount, status, next_attempt_at)
         VALUES ($2, $1, '', 300, 'pending', now() + interval '1 hour'),
                (gen_random_uuid(), $1, '', 700, 'pending', now() + interval '1 hour')`,
        [payment, refund],
      );
      // Whoever wants to settle it has to wait.
      await settling.query("SELECT FROM payments WHERE id = $1 FOR UPDATE", [payment]);
      await database.query("UPDATE refunds SET next_attempt_at = now() WHERE id = $1", [refund]);
      for (const attempt of [1, 2]) {
        await until(`it is carried out by ${attempt}`, async () => {
          const waiting = await database.query<{ attempts: number }>(
            "SELECT attempts FROM refunds WHERE id = $1",
            [refund],
          );
          return waiting[0]?.attempts === attempt;
        });
        if (attempt === 1)
          await database.query("UPDATE refunds SET leased_until = now() WHERE id = $1", [refund]);
      }
      await until("both want to settle it", async () => {
        const waiting = await database.query(
          "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'SELECT id FROM payments%'",
        );
        return waiting.length === 2;
      });
    } finally {
      await settling.query("COMMIT");
      await settling.end();
    }
    const settled = async () => {
      const refunds = (await billing.payment(payment)).body["refunds"];
      return (refunds as readonly { id: string; status: string }[]).some(
        ({ id, status }) => id === refund && status === "failed",
      );
    };
    await until("it has failed", settled);
    await until("nobody wants to settle it any more", async () => {
      const waiting = await database.query(
        "SELECT FROM pg_stat_activity WHERE state <> 'idle' AND query LIKE 'SELECT id FROM payments%'",
      );
      return waiting.length === 0;
    });
    // The other one's sum is still on its way.
    assert.deepEqual((await billing.payment(payment)).body["refunded"], aud(700).amount);
  });
});

describe("the staff's routes of billing", function () {
  this.timeout(60_000);
  let billing: Billing;

  before(async () => {
    billing = await Billing.start();
  });
  after(() => billing.stop());

  it("are for the staff only, and ask for the token before anything else", async () => {
    const { id, request } = await billing.paid(charge("tok_ok"), "capture");
    const routes: readonly [method: string, path: string, body?: unknown][] = [
      ["GET", `/api/billing/payments?order=${request.order}`],
      ["GET", "/api/billing/payments"],
      ["GET", `/api/billing/payments/${id}`],
      ["POST", `/api/billing/payments/${id}/refunds`, {}],
      ["POST", `/api/billing/payments/${id}/refunds`, { amount: "all" }],
    ];
    for (const [method, path, body] of routes) {
      for (const authorization of [undefined, "Bearer wrong"]) {
        const headers: Record<string, string> =
          authorization === undefined ? {} : { authorization };
        const answer = await billing.replicas.send(method, path, body, headers);
        assert.equal(answer.status, 401, `${method} ${path}`);
        assert.equal(answer.headers.get("www-authenticate"), "Bearer");
      }
    }
    assert.equal((await billing.ledger(request.order)).length, 2);
  });
});
