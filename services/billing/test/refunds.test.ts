import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { until } from "@store/kit/testing";
import { Billing, charge, outcome } from "./support/billing.ts";

const aud = (amount: number) => ({ amount: { amount, currency: "AUD" } });

describe("billing's refunds", () => {
  let billing: Billing;

  before(async () => {
    billing = await Billing.start({ REFUND_POLL_MS: "100" });
  });
  after(() => billing.stop());

  /** Inserts a pending refund that a call to the provider has leased for the given interval. Returns its id. */
  async function insertLeasedRefund(
    payment: string,
    amount: number,
    leasedFor: string,
  ): Promise<string> {
    const refund = randomUUID();
    await billing.replicas.database.query(
      `WITH reserved AS (UPDATE payments SET refunded = $3 WHERE id = $2)
       INSERT INTO refunds (id, payment_id, request_hash, amount, status, lease, leased_until)
       VALUES ($1, $2, '', $3, 'pending', gen_random_uuid(), now() + $4::interval)`,
      [refund, payment, amount, leasedFor],
    );
    return refund;
  }

  const expireLease = (refund: string) =>
    billing.replicas.database.query("UPDATE refunds SET leased_until = now() WHERE id = $1", [
      refund,
    ]);

  it("refund what is left for another service, once", async () => {
    const rest = (id: string) =>
      billing.replicas.send("POST", `/internal/payments/${id}/refund`, {});
    const { id, request } = await billing.createPayment(charge("tok_ok"), "capture");
    await billing.refund(id, aud(900));
    const answers = await Promise.all([rest(id), rest(id), rest(id)]);
    for (const { status, body } of answers)
      assert.deepEqual([status, body], [200, { id, status: "refunded" }]);
    assert.equal(outcome(await billing.payment(id)), "refunded");
    assert.deepEqual((await billing.ledger(request.order)).slice(-2), [
      "refunded 900",
      "refunded 8000",
    ]);
    // A payment without anything left to refund.
    const { id: whole } = await billing.createPayment(charge("tok_ok"), "capture");
    await billing.refund(whole, {});
    assert.equal(outcome(await rest(whole)), "refunded");
    const { id: open } = await billing.createPayment(charge("tok_ok"));
    assert.equal(outcome(await rest(open)), "payment-not-captured");
    assert.equal((await rest(randomUUID())).status, 404);
  });

  it("refund a part and then the rest", async () => {
    const { id, request } = await billing.createPayment(charge("tok_ok"), "capture");

    const part = await billing.refund(id, { ...aud(900), reason: "a scratch" });
    assert.equal(part.status, 201);
    assert.deepEqual(part.body, {
      ...{ id: part.body["id"], payment: id, ...aud(900), status: "succeeded" },
      ...{ reason: "a scratch", requestedBy: "clerk", createdAt: part.body["createdAt"] },
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

  it("never exceed the captured amount", async () => {
    const { id, request } = await billing.createPayment(charge("tok_ok"), "capture");
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

  it("are refused for a payment of zero, which an early release accepted", async () => {
    const { id } = await billing.createPayment(charge("tok_ok"), "capture");
    await billing.replicas.database.query("UPDATE payments SET amount = 0 WHERE id = $1", [id]);
    const answer = await billing.refund(id, {});
    assert.deepEqual([answer.status, outcome(answer)], [409, "refund-exceeds"]);
  });

  it("support amounts above 2,147,483,647 minor units", async () => {
    const few = await billing.createPayment(charge("tok_ok"), "capture");
    const much = await billing.refund(few.id, aud(2_147_483_648));
    assert.deepEqual([much.status, outcome(much)], [409, "refund-exceeds"]);

    const { id, request } = await billing.createPayment(charge("tok_ok", 3_000_000_000), "capture");
    assert.equal(outcome(await billing.refund(id, aud(2_147_483_648))), "succeeded");
    assert.equal(outcome(await billing.refund(id, aud(852_516_353))), "refund-exceeds");
    assert.equal(outcome(await billing.refund(id, aud(852_516_352))), "succeeded");
    assert.deepEqual((await billing.ledger(request.order)).slice(2), [
      ...["refunded 2147483648", "refunded 852516352"],
    ]);
  });

  it("never exceed the captured amount when requested simultaneously", async () => {
    for (let i = 0; i < 5; i++) {
      const { id, request } = await billing.createPayment(charge("tok_ok"), "capture");
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

  it("of the whole amount set the payment to refunded, even when requested simultaneously", async () => {
    for (let i = 0; i < 5; i++) {
      const { id } = await billing.createPayment(charge("tok_ok", 800), "capture");
      await Promise.all(Array.from({ length: 8 }, () => billing.refund(id, aud(100))));
      assert.equal(outcome(await billing.payment(id)), "refunded");
    }
  });

  describe("with an idempotency-key", () => {
    it("are required to have one: without it, a repeated request would refund twice", async () => {
      const { id, request } = await billing.createPayment(charge("tok_ok"), "capture");
      const path = `/api/billing/payments/${id}/refunds`;
      for (let i = 0; i < 2; i++) {
        const answer = await billing.replicas.asStaff("POST", path, aud(1_000));
        assert.deepEqual([answer.status, outcome(answer)], [400, "validation"]);
        const [error] = answer.body["errors"] as readonly { readonly pointer: string }[];
        assert.equal(error?.pointer, "/idempotency-key");
      }
      assert.deepEqual(await billing.ledger(request.order), ["authorised 8900", "captured 8900"]);
    });

    it("are made once, however many requests are sent to whichever replica", async () => {
      const { id, request } = await billing.createPayment(charge("tok_ok"), "capture");
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

    it("are refused with another body; another payment can use the same key", async () => {
      const one = await billing.createPayment(charge("tok_ok"), "capture");
      const other = await billing.createPayment(charge("tok_ok"), "capture");
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

    it("can be repeated with a smaller amount after exceeding the captured amount: a refusal isn't stored", async () => {
      const { id } = await billing.createPayment(charge("tok_ok"), "capture");
      const key = randomUUID();
      assert.equal(outcome(await billing.refund(id, aud(9_000), key)), "refund-exceeds");
      assert.equal(outcome(await billing.refund(id, aud(8_900), key)), "succeeded");
    });
  });

  it("are refused for a payment that wasn't captured", async () => {
    const authorised = await billing.createPayment(charge("tok_ok"));
    const declined = await billing.createPayment(charge("tok_declined"));
    const voided = await billing.createPayment(charge("tok_ok"), "void");
    for (const { id } of [authorised, declined, voided]) {
      const answer = await billing.refund(id, {});
      assert.deepEqual([answer.status, outcome(answer)], [409, "payment-not-captured"]);
    }
    assert.equal((await billing.refund(randomUUID(), {})).status, 404);
  });

  it("with an invalid body get 400 with the invalid field", async () => {
    const { id, request } = await billing.createPayment(charge("tok_ok"), "capture");
    const invalidRequests: readonly [body: object, pointer: string][] = [
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
    for (const [body, pointer] of invalidRequests) {
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

  it("of a process that died are carried out once by another replica", async () => {
    const { id, request } = await billing.createPayment(charge("tok_ok"), "capture");
    const pending = await insertLeasedRefund(id, 8_900, "1 hour");
    assert.equal(outcome(await billing.refund(id, aud(1))), "refund-exceeds");
    assert.deepEqual((await billing.ledger(request.order)).slice(2), []);

    await expireLease(pending);
    await until("it is carried out", async () => outcome(await billing.payment(id)) === "refunded");
    assert.deepEqual((await billing.ledger(request.order)).slice(2), ["refunded 8900"]);
  });

  it("leave the payment captured while one of them is pending", async () => {
    const { id } = await billing.createPayment(charge("tok_ok"), "capture");
    const pending = await insertLeasedRefund(id, 900, "1 hour");
    assert.equal(outcome(await billing.refund(id, {})), "succeeded");
    assert.equal(outcome(await billing.payment(id)), "captured");
    await expireLease(pending);
    await until(
      "the payment is refunded",
      async () => outcome(await billing.payment(id)) === "refunded",
    );
  });

  it("of a payment of another provider are refused, and pending ones aren't carried out", async () => {
    const { id, request } = await billing.createPayment(charge("tok_ok"), "capture");
    await billing.replicas.database.query("UPDATE payments SET provider = 'stripe' WHERE id = $1", [
      id,
    ]);
    const pending = await insertLeasedRefund(id, 900, "0 seconds");
    assert.equal((await billing.refund(id, {})).status, 503);
    // Wait for several polls.
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

  it("that the provider carried out before the process died aren't repeated", async () => {
    const { id, request } = await billing.createPayment(charge("tok_ok"), "capture");
    const { body } = await billing.refund(id, aud(8_900));
    // One statement: a poll may run between two.
    await billing.replicas.database.query(
      `WITH payment AS (UPDATE payments SET status = 'captured' WHERE id = $2)
       UPDATE refunds SET status = 'pending', next_attempt_at = now() WHERE id = $1`,
      [body["id"], id],
    );
    await until("it is found", async () => outcome(await billing.payment(id)) === "refunded");
    assert.deepEqual((await billing.ledger(request.order)).slice(2), ["refunded 8900"]);
  });

  it("that the provider refuses permanently are failed, and their amount can be refunded again", async () => {
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

  it("release their amount once when they fail, even if two calls settle the same refund", async () => {
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
      // The lock makes each call wait before it settles the refund.
      await settling.query("SELECT FROM payments WHERE id = $1 FOR UPDATE", [payment]);
      await database.query("UPDATE refunds SET next_attempt_at = now() WHERE id = $1", [refund]);
      for (const attempt of [1, 2]) {
        await until(`attempt ${attempt} has started`, async () => {
          const waiting = await database.query<{ attempts: number }>(
            "SELECT attempts FROM refunds WHERE id = $1",
            [refund],
          );
          return waiting[0]?.attempts === attempt;
        });
        if (attempt === 1)
          await database.query("UPDATE refunds SET leased_until = now() WHERE id = $1", [refund]);
      }
      await until("both attempts wait for the lock", async () => {
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
    await until("the refund has failed", settled);
    await until("both attempts have ended", async () => {
      const waiting = await database.query(
        "SELECT FROM pg_stat_activity WHERE state <> 'idle' AND query LIKE 'SELECT id FROM payments%'",
      );
      return waiting.length === 0;
    });
    // The other refund's amount is still reserved.
    assert.deepEqual((await billing.payment(payment)).body["refunded"], aud(700).amount);
  });
});

describe("billing's staff routes", () => {
  let billing: Billing;

  before(async () => {
    billing = await Billing.start();
  });
  after(() => billing.stop());

  it("require the staff token and check it before anything else", async () => {
    const { id, request } = await billing.createPayment(charge("tok_ok"), "capture");
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
