import assert from "node:assert/strict";
import { until } from "@store/kit/testing";
import { charge, outcome, type Billing, type Change } from "../support/billing.ts";
import { CARD, sharedStripeBilling, type StripeBilling } from "../support/stripeBilling.ts";
import { StripeEmulator } from "../support/stripeEmulator.ts";

/** In days. */
const MINUTE = 1 / 1_440;

interface Payment {
  readonly status: string;
  readonly refunded: { readonly amount: number };
  readonly refunds: readonly { readonly id: string; readonly status: string }[];
  readonly disputes: readonly Record<string, unknown>[];
}

describe("what Stripe reports later", () => {
  let billing: Billing;
  let stripe: StripeEmulator;
  let withKey: StripeBilling["withKey"];

  before(async () => {
    ({ billing, stripe, withKey } = await sharedStripeBilling());
  });

  const capture = async () => (await billing.createPayment(charge(CARD), "capture")).id;
  const read = async (id: string) => (await billing.payment(id)).body as unknown as Payment;
  const kinds = async (id: string) => (await billing.changes(id)).map(({ kind }) => kind);
  const disputeStatus = async (id: string) => (await read(id)).disputes[0]?.["status"];
  const untilStatus = (id: string, status: string) =>
    until(`the payment is ${status}`, async () => (await read(id)).status === status);
  const untilDispute = (id: string, status: string) =>
    until(`the dispute is ${status}`, async () => (await disputeStatus(id)) === status);
  /** Waits until Stripe's newest event has been read, so that all earlier ones have been, too. */
  const untilRead = async () => {
    const id = await capture();
    stripe.openDispute(id);
    await untilDispute(id, "open");
  };

  it("includes a refund that fails after it had succeeded: its amount can be refunded again", async () => {
    const id = await capture();
    await billing.refund(id, { amount: { amount: 900, currency: "AUD" } });
    await billing.refund(id, {});
    assert.equal((await read(id)).status, "refunded");
    stripe.failSucceededRefund(id, "lost_or_stolen_card");
    await untilStatus(id, "captured");
    const { refunds, refunded } = await read(id);
    assert.equal(refunded.amount, 8_000);
    assert.deepEqual(
      refunds.map(({ status }) => status),
      ["failed", "succeeded"],
    );
    const failed: Partial<Change> = {
      ...{ kind: "refund_failed", subject: refunds[0]?.id ?? "", reason: "lost_or_stolen_card" },
      amount: { amount: 900, currency: "AUD" },
    };
    const [, change, ...more] = await billing.changes(id);
    assert.deepEqual({ ...change, ...failed }, change);
    await billing.refund(id, {});
    assert.equal((await read(id)).status, "refunded");
    await untilRead();
    // Stripe reports it as three events, and each poll reads them again.
    assert.deepEqual([more, await kinds(id)], [[], ["refunded", "refund_failed"]]);
  });

  it("includes disputes with the time until which Stripe accepts an answer", async () => {
    const id = await capture();
    const dispute = stripe.openDispute(id, "fraudulent", new Date("2030-01-02T03:04:05Z"));
    await untilDispute(id, "open");
    const amount = { amount: 8_900, currency: "AUD" };
    const details = { amount, reason: "fraudulent", respondBy: "2030-01-02T03:04:05.000Z" };
    assert.deepEqual((await read(id)).disputes, [{ id: dispute, status: "open", ...details }]);
    const [opened, ...more] = await billing.changes(id);
    const expected = { kind: "dispute_opened", subject: dispute, ...details };
    assert.deepEqual([{ ...opened, ...expected }, more], [opened, []]);

    stripe.changeDispute(dispute, "under_review");
    await until("no answer is expected", async () => {
      const [shown] = (await read(id)).disputes;
      return shown !== undefined && !("respondBy" in shown);
    });
    stripe.changeDispute(dispute, "won");
    await untilDispute(id, "won");
    assert.deepEqual(await kinds(id), ["dispute_opened", "dispute_won"]);

    const lost = await capture();
    stripe.changeDispute(stripe.openDispute(lost), "lost");
    await untilDispute(lost, "lost");
    assert.deepEqual((await kinds(lost)).at(-1), "dispute_lost");
  });

  it("includes the time for the answer of an inquiry that becomes a chargeback", async () => {
    const id = await capture();
    const dispute = stripe.openDispute(id);
    await untilDispute(id, "open");
    const chargeback = {
      ...stripe.disputes.get(dispute),
      evidence_details: { due_by: Date.parse("2031-01-02") / 1_000 },
    };
    stripe.events.add("charge.dispute.updated", chargeback);
    await until("the deadline is a change", async () => (await kinds(id)).length > 1);
    const changes = await billing.changes(id);
    assert.deepEqual(
      changes.map(({ kind, respondBy }) => [kind, respondBy]),
      [
        ["dispute_opened", "2030-01-02T00:00:00.000Z"],
        ["dispute_opened", "2031-01-02T00:00:00.000Z"],
      ],
    );
  });

  it("doesn't open a dispute again if an older report arrives after its end", async () => {
    const id = await capture();
    const dispute = stripe.openDispute(id);
    const begun = { ...stripe.disputes.get(dispute), status: "under_review" };
    stripe.changeDispute(dispute, "lost");
    await untilDispute(id, "lost");
    stripe.events.add("charge.dispute.updated", begun, MINUTE);
    await untilRead();
    assert.equal(await disputeStatus(id), "lost");
    assert.deepEqual((await kinds(id)).at(-1), "dispute_lost");
  });

  it("includes a report that Stripe lists after a younger one", async () => {
    const id = await capture();
    await billing.refund(id, {});
    const failed = { ...stripe.refunds.at(-1), status: "failed", failure_reason: "declined" };
    await untilRead();
    stripe.events.add("refund.failed", failed, 5 * MINUTE);
    await untilStatus(id, "captured");
  });

  it("includes an authorisation that Stripe has cancelled: the payment is voided", async () => {
    const { id } = await billing.createPayment(charge(CARD));
    stripe.lapse(id);
    await untilStatus(id, "voided");
    assert.deepEqual(await kinds(id), ["authorisation_lapsed"]);
    assert.equal(outcome(await billing.capture(id)), "payment-voided");
    assert.deepEqual(stripe.ledger(id), ["authorised 8900", "canceled"]);
  });

  it("leaves a cancelled authorisation to the call in progress, which may have cancelled it and learns of it by itself", async () => {
    const lease = (id: string, until: string) =>
      billing.replicas.database.query(
        `UPDATE payments SET lease = gen_random_uuid(), leased_until = ${until} WHERE id = $1`,
        [id],
      );
    const { id } = await billing.createPayment(charge(CARD));
    await lease(id, "clock_timestamp() + interval '1 hour'");
    stripe.lapse(id);
    await untilRead();
    assert.deepEqual([(await read(id)).status, await kinds(id)], ["authorised", []]);
    // The process of the call has died: the next call takes over.
    await billing.expireLease(id);
    assert.equal(outcome(await billing.capture(id)), "payment-voided");
    assert.deepEqual(await kinds(id), []);

    const { id: abandoned } = await billing.createPayment(charge(CARD));
    await lease(abandoned, "clock_timestamp() - interval '1 second'");
    stripe.lapse(abandoned);
    await untilStatus(abandoned, "voided");
    assert.deepEqual(await kinds(abandoned), ["authorisation_lapsed"]);
  });

  it("leaves payments as they are that billing voided or that were declined, and others than its own", async () => {
    const voided = await billing.createPayment(charge(CARD), "void");
    const declined = await billing.createPayment(charge("pm_card_visa_chargeDeclined"));
    stripe.events.add("charge.dispute.created", {
      ...{ id: "du_other", object: "dispute", payment_intent: "pi_other", amount: 1 },
      ...{ currency: "aud", status: "lost", reason: "general", evidence_details: { due_by: null } },
    });
    await untilRead();
    assert.deepEqual(await kinds(voided.id), []);
    assert.deepEqual(await kinds(declined.id), []);
    assert.equal((await read(declined.id)).status, "declined");
  });

  it("is read page by page by two replicas, and applied once", async () => {
    const { pageSize } = stripe;
    stripe.pageSize = 2;
    try {
      const ids = await Promise.all(Array.from({ length: 5 }, capture));
      for (const id of ids) stripe.openDispute(id);
      for (const id of ids) await untilDispute(id, "open");
      for (const id of ids) assert.deepEqual(await kinds(id), ["dispute_opened"]);
    } finally {
      stripe.pageSize = pageSize;
    }
  });

  it("is read after an outage, which the log and the metrics show", async () => {
    const id = await capture();
    await withKey("sk_test_revoked", async () => {
      stripe.openDispute(id);
      await until("a replica has tried to read", () =>
        billing.replicas.running.some(({ log }) =>
          log.some(({ msg }) => /rejected the secret key.*will read its reports again/.test(msg)),
        ),
      );
    });
    await untilDispute(id, "open");
    const texts = await Promise.all(
      billing.replicas.running.map(async (one) => (await one.fetch("/metrics")).text()),
    );
    const text = texts.join("\n");
    assert.match(text, /call="reports",answer="unknown"\} [1-9]/);
    assert.match(text, /call="reports",answer="read"\} [1-9]/);
    assert.match(text, /billing_reports_lag_seconds\{provider="stripe"\} \d/);
    assert.match(text, /billing_disputes_open\{provider="stripe"\} [1-9]/);
  });

  it("needs a key with the permission to read events, which the log says; payments work without it", async () => {
    await withKey(StripeEmulator.KEY_WITHOUT_EVENTS, async () => {
      await until("a replica says what is missing", () =>
        billing.replicas.running.some(({ log }) =>
          log.some(({ msg }) => /lacks the permission to list events\. Give the/.test(msg)),
        ),
      );
      assert.equal((await read(await capture())).status, "captured");
    });
  });

  it("includes the time before billing was installed, and is applied after a restart", async () => {
    const id = await capture();
    const [replica] = billing.replicas.running;
    assert.ok(replica);
    await billing.replicas.kill(replica);
    stripe.openDispute(id);
    await billing.replicas.add();
    await untilDispute(id, "open");
    // A lost cursor: reports of up to 30 days are read, and not applied again.
    const early = await capture();
    const [intent] = stripe.intentsOf(early);
    stripe.events.add(
      "charge.dispute.created",
      {
        ...{ id: `du_${early}`, object: "dispute", payment_intent: intent?.id, amount: 8_900 },
        ...{ currency: "aud", status: "needs_response", reason: "general" },
        evidence_details: { due_by: null },
      },
      29,
    );
    await billing.replicas.database.query("DELETE FROM report_cursors");
    await untilDispute(early, "open");
    assert.deepEqual(await kinds(id), ["dispute_opened"]);
  });

  it("is read from the newest event on, also if that is none of a report", async () => {
    const { database } = billing.replicas;
    const succeeded = { object: "refund", status: "succeeded" };
    // A minute younger than all reports of these tests.
    const young = new Date(Date.now() + 50_000);
    stripe.events.add("refund.updated", succeeded, -MINUTE);
    await until("the event is the newest", async () => {
      const [cursor] = await database.query<{ isRead: boolean }>(
        `SELECT newest > $1 AS "isRead" FROM report_cursors`,
        [young],
      );
      return cursor?.isRead === true;
    });
  });

  it("is an error in the log if it wasn't read for longer than Stripe keeps it", async () => {
    await until("a replica says so", async () => {
      // Repeated, because a poll that is in progress notes its time.
      await billing.replicas.database.query(
        "UPDATE report_cursors SET caught_up_at = now() - interval '31 days'",
      );
      return billing.replicas.running.some(({ log }) =>
        log.some(
          ({ level, msg }) => level === "error" && /haven't been read for 30 days/.test(msg),
        ),
      );
    });
  });

  it("can be a payment whose refund isn't carried out yet: its order must not be sent", async () => {
    const id = await capture();
    await billing.refund(id, { amount: { amount: 900, currency: "AUD" } });
    assert.deepEqual(await kinds(id), []);
    stripe.fail("refund", "busy");
    const { body } = await billing.refund(id, {});
    assert.deepEqual([body["status"], await kinds(id)], ["pending", ["refunded"]]);
    await untilStatus(id, "refunded");
    assert.deepEqual(await kinds(id), ["refunded"]);
  });
});
