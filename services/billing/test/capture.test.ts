import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import type { Answer } from "@store/kit/testing";
import { Billing, charge, outcome } from "./support/billing.ts";

describe("billing's internal routes for payments", () => {
  let billing: Billing;

  before(async () => {
    billing = await Billing.start({ SIMULATED_SLOW_MS: "1500", PAYMENT_LEASE_SECONDS: "60" });
  });
  after(() => billing.stop());

  describe("an authorisation", () => {
    const tokens: readonly [token: string, answer: object, ledger: readonly string[]][] = [
      ["tok_ok", { status: "authorised" }, ["authorised 8900"]],
      ["tok_slow", { status: "authorised" }, ["authorised 8900"]],
      ["tok_declined", { status: "declined", reason: "declined" }, []],
      ["tok_insufficient_funds", { status: "declined", reason: "insufficient_funds" }, []],
      ["tok_visa", { status: "declined", reason: "invalid_token" }, []],
    ];
    for (const [token, answer, ledger] of tokens) {
      it(`with ${token} gets the same answer from each replica and takes effect once`, async () => {
        const id = randomUUID();
        const request = charge(token);
        for (let i = 0; i < 3; i++) {
          const { status, body } = await billing.authorise(id, request);
          assert.equal(status, 200);
          assert.deepEqual(body, { id, ...answer });
        }
        assert.deepEqual(await billing.ledger(request.order), ledger);
        const { body } = await billing.payment(id);
        assert.deepEqual(body, {
          ...{ id, order: request.order, ...answer, amount: request.amount },
          ...{
            refunded: { amount: 0, currency: "AUD" },
            refunds: [],
            disputes: [],
            createdAt: body["createdAt"],
          },
        });
      });
    }

    it("with tok_slow takes SIMULATED_SLOW_MS", async () => {
      // The default is 5 s. A busy machine may take as long once, but not each time.
      let took = Infinity;
      for (let attempt = 0; attempt < 5 && took >= 5_000; attempt++) {
        const before = Date.now();
        await billing.authorise(randomUUID(), charge("tok_slow"));
        took = Date.now() - before;
        assert.ok(took >= 1_500, `${took} ms`);
      }
      assert.ok(took < 5_000, `${took} ms`);
    });

    it("is refused for an amount of zero", async () => {
      const { status, body } = await billing.authorise(randomUUID(), charge("tok_ok", 0));
      assert.equal(status, 400);
      assert.match(JSON.stringify(body), /"pointer":"\/amount\/amount"/);
    });

    it("is refused if the id was used with another order, amount, currency or token", async () => {
      for (const token of ["tok_ok", "tok_declined"]) {
        const { id, request } = await billing.createPayment(charge(token));
        const first = await billing.authorise(id, request);
        for (const other of [
          { ...request, order: randomUUID() },
          { ...request, amount: { amount: 8_901, currency: "AUD" } },
          { ...request, amount: { amount: 8_900, currency: "NZD" } },
          { ...request, token: "tok_slow" },
        ]) {
          const answer = await billing.authorise(id, other);
          assert.deepEqual([answer.status, outcome(answer)], [422, "payment-differs"]);
        }
        assert.deepEqual((await billing.authorise(id, request)).body, first.body);
      }
    });

    it("is refused for an order with another payment, unless that payment was declined or voided", async () => {
      const { order } = charge("tok_ok");
      const pay = (token: string) => billing.createPayment({ ...charge(token), order });
      await pay("tok_declined");
      const held = await pay("tok_ok");
      const second = await billing.authorise(randomUUID(), { ...charge("tok_ok"), order });
      assert.deepEqual([second.status, outcome(second)], [409, "order-already-paid"]);
      await billing.void(held.id);
      const third = await pay("tok_ok");
      await billing.capture(third.id);
      const fourth = await billing.authorise(randomUUID(), { ...charge("tok_ok"), order });
      assert.equal(outcome(fourth), "order-already-paid");
      assert.deepEqual(await billing.ledger(order), [
        ...["authorised 8900", "voided 8900", "authorised 8900", "captured 8900"],
      ]);
      const list = await billing.replicas.asStaff("GET", `/api/billing/payments?order=${order}`);
      const items = list.body["items"] as readonly Answer["body"][];
      assert.deepEqual(
        items.map(({ status }) => status),
        ["declined", "voided", "captured"],
      );
    });

    it("succeeds once if several ids are requested for one order simultaneously", async () => {
      for (let i = 0; i < 10; i++) {
        const request = charge("tok_ok");
        const answers = await Promise.all(
          Array.from({ length: 4 }, () => billing.authorise(randomUUID(), request)),
        );
        assert.deepEqual(answers.map(outcome).sort(), [
          "authorised",
          ...Array.from({ length: 3 }, () => "order-already-paid"),
        ]);
        assert.deepEqual(await billing.ledger(request.order), ["authorised 8900"]);
      }
    });

    it("is answered to one of several simultaneous requests with one id; the others get 503 with retry-after meanwhile", async () => {
      const id = randomUUID();
      const request = charge("tok_slow");
      const answers = await Promise.all(
        Array.from({ length: 6 }, () => billing.authorise(id, request)),
      );
      // On a busy machine, a request may come after the answer to another one, and gets the same answer.
      assert.deepEqual(new Set(answers.map(outcome)), new Set([503, "authorised"]));
      for (const { status, headers } of answers)
        assert.equal(headers.get("retry-after"), status === 503 ? "1" : null);
      const again = await billing.authorise(id, request);
      assert.deepEqual(again.body, { id, status: "authorised" });
      assert.deepEqual(await billing.ledger(request.order), ["authorised 8900"]);
    });

    it("gets the same answer weeks later", async () => {
      const { id, request } = await billing.createPayment(charge("tok_ok"), "capture");
      await billing.replicas.database.query(
        `UPDATE payments SET created_at = created_at - interval '60 days',
           updated_at = updated_at - interval '60 days' WHERE id = $1`,
        [id],
      );
      assert.deepEqual((await billing.authorise(id, request)).body, { id, status: "captured" });
      assert.deepEqual((await billing.capture(id)).body, { id, status: "captured" });
      assert.deepEqual(await billing.ledger(request.order), ["authorised 8900", "captured 8900"]);
    });
  });

  describe("a capture", () => {
    it("captures the authorised amount once, however many requests are sent to whichever replica", async () => {
      const { id, request } = await billing.createPayment(charge("tok_ok", 4_711));
      const answers = await Promise.all(Array.from({ length: 6 }, () => billing.capture(id)));
      assert.ok(answers.some(({ status }) => status === 200));
      for (const answer of answers)
        assert.ok(["captured", 503].includes(outcome(answer) as string));
      for (let i = 0; i < 3; i++)
        assert.deepEqual((await billing.capture(id)).body, { id, status: "captured" });
      assert.deepEqual(await billing.ledger(request.order), ["authorised 4711", "captured 4711"]);
    });

    it("of an unknown payment gets 404", async () => {
      assert.equal((await billing.capture(randomUUID())).status, 404);
    });

    it("of a declined or voided payment is refused", async () => {
      const declined = await billing.createPayment(charge("tok_declined"));
      const voided = await billing.createPayment(charge("tok_ok"), "void");
      const never = randomUUID();
      await billing.void(never);
      assert.equal(outcome(await billing.capture(declined.id)), "payment-declined");
      assert.equal(outcome(await billing.capture(voided.id)), "payment-voided");
      assert.equal(outcome(await billing.capture(never)), "payment-voided");
      assert.deepEqual(await billing.ledger(voided.request.order), [
        ...["authorised 8900", "voided 8900"],
      ]);
    });

    it("is refused while the outcome of the authorisation is unknown", async () => {
      const { id, request } = await insertPending();
      assert.equal(outcome(await billing.capture(id)), "payment-pending");
      assert.deepEqual(await billing.ledger(request.order), []);
    });
  });

  describe("a void", () => {
    it("releases the authorised amount once", async () => {
      const { id, request } = await billing.createPayment(charge("tok_ok"));
      for (let i = 0; i < 3; i++)
        assert.deepEqual((await billing.void(id)).body, { id, status: "voided" });
      assert.deepEqual(await billing.ledger(request.order), ["authorised 8900", "voided 8900"]);
      assert.equal(outcome(await billing.authorise(id, request)), "payment-voided");
    });

    it("of an unknown id refuses a later authorisation with this id", async () => {
      const id = randomUUID();
      const request = charge("tok_ok");
      for (let i = 0; i < 3; i++)
        assert.deepEqual((await billing.void(id)).body, { id, status: "voided" });
      for (let i = 0; i < 2; i++) {
        const late = await billing.authorise(id, request);
        assert.deepEqual([late.status, outcome(late)], [409, "payment-voided"]);
      }
      assert.deepEqual(await billing.ledger(request.order), []);
      assert.equal((await billing.payment(id)).status, 404);
      // The tombstone doesn't block another payment of the order.
      assert.equal(outcome(await billing.authorise(randomUUID(), request)), "authorised");
    });

    it("of a pending payment refuses a later authorisation", async () => {
      const { id, request } = await insertPending();
      assert.deepEqual((await billing.void(id)).body, { id, status: "voided" });
      assert.equal(outcome(await billing.authorise(id, request)), "payment-voided");
      assert.deepEqual(await billing.ledger(request.order), []);
    });

    it("of a declined payment answers that it was declined", async () => {
      const { id } = await billing.createPayment(charge("tok_declined"));
      assert.deepEqual((await billing.void(id)).body, { id, status: "declined" });
    });

    it("of a captured payment is refused, even after a refund", async () => {
      const { id, request } = await billing.createPayment(charge("tok_ok"), "capture");
      assert.equal(outcome(await billing.void(id)), "payment-captured");
      await billing.refund(id, {});
      assert.equal(outcome(await billing.void(id)), "payment-captured");
      assert.equal(outcome(await billing.capture(id)), "captured");
      assert.equal(outcome(await billing.authorise(id, request)), "captured");
      assert.deepEqual(await billing.ledger(request.order), [
        ...["authorised 8900", "captured 8900", "refunded 8900"],
      ]);
    });
  });

  describe("a race", () => {
    it("of an authorisation and a void leaves nothing held", async () => {
      for (let i = 0; i < 20; i++) {
        const id = randomUUID();
        const request = charge("tok_ok");
        await Promise.all([billing.authorise(id, request), billing.void(id)]);
        const voided = await billing.retryUntilKnown(() => billing.void(id));
        assert.equal(outcome(voided), "voided");
        assert.equal(outcome(await billing.authorise(id, request)), "payment-voided");
        const ledger = await billing.ledger(request.order);
        assert.ok(
          ledger.length === 0 || ledger.join() === "authorised 8900,voided 8900",
          ledger.join(),
        );
      }
    });

    it("of a capture with a transaction that stores an outcome respects that outcome", async () => {
      const { id, request } = await billing.createPayment(charge("tok_ok"));
      const other = await billing.replicas.database.connect();
      try {
        await other.query("BEGIN");
        await other.query("UPDATE payments SET status = 'voided' WHERE id = $1", [id]);
        const capture = billing.capture(id);
        await new Promise((resolve) => setTimeout(resolve, 500));
        await other.query("COMMIT");
        assert.equal(outcome(await capture), "payment-voided");
        assert.deepEqual(await billing.ledger(request.order), ["authorised 8900"]);
      } finally {
        await other.end();
      }
    });

    it("of a capture and a void has one winner, which the provider's ledger confirms", async () => {
      const winners = new Set<unknown>();
      for (let i = 0; i < 20 || (winners.size === 1 && i < 200); i++) {
        const { id, request } = await billing.createPayment(charge("tok_ok"));
        const calls = [() => billing.capture(id), () => billing.void(id)];
        // The call sent first has a lead; let each go first in half of the rounds.
        if (i % 2 === 1) calls.reverse();
        await Promise.all(calls.map((call) => call()));
        const captured = outcome(await billing.retryUntilKnown(() => billing.capture(id)));
        const voided = outcome(await billing.retryUntilKnown(() => billing.void(id)));
        const [, last, ...more] = await billing.ledger(request.order);
        assert.deepEqual(more, []);
        if (captured === "captured") {
          assert.deepEqual([voided, last], ["payment-captured", "captured 8900"]);
        } else {
          assert.deepEqual([captured, voided, last], ["payment-voided", "voided", "voided 8900"]);
        }
        winners.add(captured);
      }
      assert.equal(winners.size, 2, "both can win");
    });
  });

  /** Inserts a pending payment whose request never reached the provider. */
  async function insertPending() {
    const id = randomUUID();
    const request = charge("tok_ok");
    await billing.replicas.database.query(
      `INSERT INTO payments (id, order_id, status, amount, currency, provider)
       VALUES ($1, $2, 'pending', 8900, 'AUD', 'simulated')`,
      [id, request.order],
    );
    return { id, request };
  }
});
