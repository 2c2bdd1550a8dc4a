import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "@store/kit/testing";
import { StripeEmulator } from "../../../billing/test/support/stripeEmulator.ts";
import { LONG_LEASE, type BackEnd, type PlacedOrder } from "../support/backEnd.ts";
import { undecidedHandling, type Step } from "../support/faultProxy.ts";
import { cancelled } from "../support/outcomes.ts";
import { sharedBackEnd } from "../support/sharedBackEnd.ts";

/** Token of a card that Stripe accepts. */
const CARD = "pm_card_visa";

describe("an order about whose payment Stripe reports something later", () => {
  const stripe = new StripeEmulator();
  const folder = mkdtempSync(join(tmpdir(), "store-test-"));
  let backEnd: BackEnd;

  before(async () => {
    const keyFile = join(folder, "STRIPE_SECRET_KEY");
    writeFileSync(keyFile, StripeEmulator.KEY);
    backEnd = await sharedBackEnd();
    await backEnd.useReplicas(2, LONG_LEASE);
    await backEnd.stopUpstream("billing");
    await backEnd.startUpstream("billing", {
      PAYMENT_PROVIDER: "stripe",
      STRIPE_SECRET_KEY_FILE: keyFile,
      STRIPE_API_URL: await stripe.start(),
      REPORT_POLL_MS: "100",
    });
  });
  afterEach(() => backEnd.resetFaults());
  after(async () => {
    // The other files share the orders, and count those that need attention.
    const open = await backEnd.database.query<{ id: string }>(
      "SELECT DISTINCT order_id AS id FROM payment_alerts WHERE settled_at IS NULL",
    );
    for (const { id } of open) await backEnd.resolve(id);
    await backEnd.stopUpstream("billing");
    await backEnd.startUpstream("billing");
    await stripe.stop();
    rmSync(folder, { recursive: true });
  });

  const placeConfirmed = () => backEnd.placeConfirmed({ token: CARD });
  const dispute = async (order: PlacedOrder) => stripe.openDispute(await backEnd.paymentOf(order));
  const waitForReason = (order: PlacedOrder, reason: string) =>
    until(`the order needs attention: ${reason}`, async () => {
      const view = await backEnd.readOrder(order);
      return view.status === "needs_attention" && view.reason === reason;
    });
  const alertsOf = async (order: PlacedOrder) =>
    ((await backEnd.readAsStaff(order)).alerts ?? []).map(({ id, kind }) => ({
      id: Number(id),
      kind,
    }));
  const historyOf = async (order: PlacedOrder) =>
    (await backEnd.readOrder(order)).history.map(({ status, reason }) =>
      reason === undefined ? status : `${status} ${reason}`,
    );
  /** Restores billing's database to before the last change, so that orders apply all of billing's changes again. */
  const repeatPaymentChanges = async () => {
    const [lost, later] = [await placeConfirmed(), await placeConfirmed()];
    await dispute(lost);
    await waitForReason(lost, "dispute_opened");
    await backEnd
      .upstreamDatabase("billing")
      .query(
        "DELETE FROM payment_changes WHERE change = (SELECT max(change) FROM payment_changes)",
      );
    await dispute(later);
    await waitForReason(later, "dispute_opened");
  };
  const problemTypeOf = async (response: Response) =>
    ((await response.json()) as { type: string }).type.replace("urn:store:problem:", "");

  it("needs attention while a dispute is open, and shows staff until when Stripe accepts an answer", async () => {
    const order = await placeConfirmed();
    const subject = await dispute(order);
    await waitForReason(order, "dispute_opened");
    const [alert, ...more] = (await backEnd.readAsStaff(order)).alerts ?? [];
    const expected = {
      ...{ kind: "dispute_opened", subject, amount: { amount: 2_900, currency: "AUD" } },
      ...{ reason: "fraudulent", respondBy: "2030-01-02T00:00:00.000Z" },
    };
    assert.deepEqual([{ ...alert, ...expected }, more], [alert, []]);
    const metrics = await (await backEnd.firstReplica.fetch("/metrics")).text();
    assert.match(metrics, /saga_orders\{step="needs_attention"\} [1-9]/);

    // An inquiry becomes a chargeback.
    const chargeback = { due_by: Date.parse("2031-01-02") / 1_000 };
    stripe.events.add("charge.dispute.updated", {
      ...stripe.disputes.get(subject),
      evidence_details: chargeback,
    });
    await until("the alert has the new deadline", async () => {
      const { alerts = [] } = await backEnd.readAsStaff(order);
      return alerts.length === 1 && alerts[0]?.["respondBy"] === "2031-01-02T00:00:00.000Z";
    });

    stripe.changeDispute(subject, "won");
    await backEnd.waitForStatus(order, "confirmed");
    assert.equal((await backEnd.readAsStaff(order)).alerts, undefined);
    assert.deepEqual(await historyOf(order), [
      ...["pending", "confirmed", "needs_attention dispute_opened", "confirmed"],
    ]);
    assert.deepEqual(await backEnd.staffActions(order.id), []);
  });

  it("needs attention after a lost dispute until staff have handled it", async () => {
    const order = await placeConfirmed();
    await backEnd.dispatch(order);
    await backEnd.waitForStatus(order, "shipped");
    const subject = await dispute(order);
    await waitForReason(order, "dispute_opened");
    stripe.changeDispute(subject, "lost");
    await waitForReason(order, "dispute_lost");
    const retry = await backEnd.retry(order.id);
    assert.deepEqual([retry.status, await problemTypeOf(retry)], [409, "nothing-to-retry"]);
    // The second request changes nothing.
    for (let n = 0; n < 2; n++) assert.equal((await backEnd.resolve(order.id)).status, 200);
    assert.equal((await backEnd.readOrder(order)).status, "shipped");
    assert.deepEqual(await backEnd.staffActions(order.id), [["resolve", "clerk"]]);
    assert.deepEqual(await historyOf(order), [
      ...["pending", "confirmed", "shipped", "needs_attention dispute_opened"],
      ...["needs_attention dispute_lost", "shipped"],
    ]);
  });

  it("still needs attention after staff have handled the reports that they had read, if another one has arrived since", async () => {
    const order = await placeConfirmed();
    await dispute(order);
    await waitForReason(order, "dispute_opened");
    const [read, ...others] = await alertsOf(order);
    assert.ok(read);
    assert.deepEqual(others, []);
    await backEnd.database.query(
      `INSERT INTO payment_alerts (cause, order_id, kind, subject, at)
       VALUES ('test ' || $1, $1::uuid, 'refund_failed', 'a refund', now())`,
      [order.id],
    );
    await waitForReason(order, "refund_failed");
    assert.equal((await backEnd.resolve(order.id, 0)).status, 409, "none was read");
    const resolved = await backEnd.resolve(order.id, read.id);
    assert.equal(resolved.status, 200);
    assert.equal((await backEnd.readOrder(order)).status, "needs_attention");
    const [left, ...more] = await alertsOf(order);
    assert.deepEqual([left?.kind, more], ["refund_failed", []]);
    const again = await backEnd.resolve(order.id, read.id);
    assert.deepEqual([again.status, await problemTypeOf(again)], [409, "nothing-to-resolve"]);
    assert.equal((await backEnd.resolve(order.id, left?.id)).status, 200);
    assert.equal((await backEnd.readOrder(order)).status, "confirmed");
  });

  it("needs attention again after its parcel was dispatched", async () => {
    const order = await placeConfirmed();
    await dispute(order);
    await waitForReason(order, "dispute_opened");
    assert.equal((await backEnd.dispatch(order)).status, 200);
    await until("the order was shipped and needs attention", async () => {
      const history = await historyOf(order);
      return history.includes("shipped") && history.at(-1) !== "shipped";
    });
    assert.deepEqual(await historyOf(order), [
      ...["pending", "confirmed", "needs_attention dispute_opened"],
      ...["shipped", "needs_attention dispute_opened"],
    ]);
    assert.equal((await backEnd.resolve(order.id)).status, 200);
    assert.equal((await backEnd.readOrder(order)).status, "shipped");
  });

  it("can be cancelled during a dispute, and then still needs the answer and the refund that Stripe refused", async () => {
    const order = await placeConfirmed();
    const subject = await dispute(order);
    await waitForReason(order, "dispute_opened");
    assert.equal((await backEnd.cancel(order.id)).status, 200);
    await waitForReason(order, "refund_failed");
    const { alerts } = await backEnd.readAsStaff(order);
    assert.deepEqual(
      alerts?.map(({ kind, reason }) => [kind, reason]),
      [
        ["dispute_opened", "fraudulent"],
        ["refund_failed", "charge_disputed"],
      ],
    );
    assert.equal((await backEnd.parcels(order))[0]?.status, "cancelled");
    assert.equal((await backEnd.resolve(order.id)).status, 200);
    const { status, reason, onHand } = await backEnd.readOutcome(order);
    assert.deepEqual([status, reason, onHand], ["cancelled", "refunded_by_store", 5]);

    // Now the store has the money, and Stripe accepts the refund.
    stripe.changeDispute(subject, "won");
    await waitForReason(order, "refund_failed");
    const left = (await backEnd.readAsStaff(order)).alerts ?? [];
    assert.deepEqual(
      left.map(({ kind, reason }) => [kind, reason]),
      [["refund_failed", "dispute_won"]],
    );
  });

  it("needs attention if a refund fails after it had succeeded, with the amount", async () => {
    const order = await placeConfirmed();
    await backEnd.refund(order, 900);
    stripe.failSucceededRefund(await backEnd.paymentOf(order), "lost_or_stolen_card");
    await waitForReason(order, "refund_failed");
    const [alert] = (await backEnd.readAsStaff(order)).alerts ?? [];
    const expected = {
      ...{ kind: "refund_failed", reason: "lost_or_stolen_card" },
      amount: { amount: 900, currency: "AUD" },
    };
    assert.deepEqual({ ...alert, ...expected }, alert);
    assert.equal((await backEnd.resolve(order.id)).status, 200);
    assert.equal((await backEnd.readOrder(order)).status, "confirmed");
  });

  it("can't be resolved while it needs attention for another reason", async () => {
    backEnd.onStep("reserve", () => ({ status: 404 }));
    const order = await backEnd.place({ token: CARD });
    await backEnd.waitForStatus(order, "needs_attention");
    const response = await backEnd.resolve(order.id);
    assert.deepEqual([response.status, await problemTypeOf(response)], [409, "nothing-to-resolve"]);
    await backEnd.cancel(order.id);
    await backEnd.waitForStatus(order, "cancelled");
  });

  const lapses: readonly [Step, readonly Step[]][] = [
    ["commit", ["release", "void"]],
    ["capture", ["void", "return"]],
  ];
  for (const [step, last] of lapses) {
    it(`is cancelled with its items returned if the authorisation lapses after ${step} was refused`, async () => {
      backEnd.onStep(step, () => ({ status: 409, type: "unexpected" }));
      const order = await backEnd.place({ token: CARD });
      await backEnd.waitForStatus(order, "needs_attention");
      stripe.lapse(await backEnd.paymentOf(order));
      await backEnd.assertEndsAs(order, {
        ...cancelled("payment_failed", ["voided"]),
        history: ["pending", "needs_attention", "pending", "cancelled"],
      });
      assert.deepEqual(backEnd.stepsOf(order).slice(-2), last);
    });
  }

  it("is cancelled if the authorisation lapses while a call is in progress, which ends first", async () => {
    const { handling, decide } = undecidedHandling();
    backEnd.onStep("commit", () => handling);
    const order = await backEnd.place({ token: CARD });
    await until("the items are committed", () => backEnd.stepsOf(order).includes("commit"));
    const payment = await backEnd.paymentOf(order);
    stripe.lapse(payment);
    await until("billing knows", async () => {
      const { payments } = await backEnd.readOutcome(order);
      return payments[0] === "voided";
    });
    decide("forward");
    await backEnd.assertEndsAs(order, cancelled("payment_failed", ["voided"]));
    assert.deepEqual(
      Object.values(backEnd.proxies).flatMap(({ overlaps }) => overlaps),
      [],
    );
  });

  it("gets each report once, also after a restoration of billing's database, which gives the same numbers again", async () => {
    const billing = backEnd.upstreamDatabase("billing");
    const early = await placeConfirmed();
    const ended = await placeConfirmed();
    const lost = await placeConfirmed();
    await dispute(early);
    await waitForReason(early, "dispute_opened");
    await backEnd.resolve(early.id);
    stripe.changeDispute(await dispute(ended), "lost");
    await waitForReason(ended, "dispute_lost");
    await dispute(lost);
    await waitForReason(lost, "dispute_opened");
    // The backup was made between the two disputes.
    await billing.query(
      "DELETE FROM payment_changes WHERE change = (SELECT max(change) FROM payment_changes)",
    );
    const later = await placeConfirmed();
    await dispute(later);
    await waitForReason(later, "dispute_opened");
    assert.equal((await backEnd.readOrder(early)).status, "confirmed");
    for (const order of [early, lost, later]) {
      const alerts = await backEnd.database.query(
        "SELECT FROM payment_alerts WHERE order_id = $1",
        [order.id],
      );
      assert.equal(alerts.length, 1);
    }
    const { alerts = [] } = await backEnd.readAsStaff(ended);
    assert.deepEqual(
      alerts.map(({ kind }) => kind),
      ["dispute_lost"],
    );
  });

  const repetitions = {
    "with a newer time": (subject: string) =>
      backEnd
        .upstreamDatabase("billing")
        .query(
          "UPDATE payment_changes SET at = now() WHERE subject = $1 AND kind = 'dispute_won'",
          [subject],
        ),
    "which the previous release didn't record": (subject: string) =>
      backEnd.database.query(
        "DELETE FROM payment_alerts WHERE subject = $1 AND kind = 'dispute_won'",
        [subject],
      ),
  };
  for (const [variant, prepare] of Object.entries(repetitions)) {
    it(`needs attention for a dispute that is opened again, also after billing repeats its earlier end, ${variant}`, async () => {
      const order = await placeConfirmed();
      const subject = await dispute(order);
      await waitForReason(order, "dispute_opened");
      stripe.changeDispute(subject, "won");
      await backEnd.waitForStatus(order, "confirmed");
      // Stripe's times are in seconds: this event is a second younger.
      const opened = { ...stripe.disputes.get(subject), status: "needs_response" };
      stripe.events.add("charge.dispute.updated", opened, -1 / 86_400);
      await waitForReason(order, "dispute_opened");
      const alerts = await alertsOf(order);
      assert.equal(alerts.length, 1);
      await prepare(subject);
      await repeatPaymentChanges();
      assert.deepEqual(await alertsOf(order), alerts);
      assert.deepEqual(await historyOf(order), [
        ...["pending", "confirmed", "needs_attention dispute_opened"],
        ...["confirmed", "needs_attention dispute_opened"],
      ]);
    });
  }

  it("can be resolved even if its alerts were settled before it got the status", async () => {
    const order = await placeConfirmed();
    await dispute(order);
    await waitForReason(order, "dispute_opened");
    await backEnd.database.query(
      "UPDATE payment_alerts SET settled_at = now() WHERE order_id = $1",
      [order.id],
    );
    assert.equal((await backEnd.resolve(order.id)).status, 200);
    assert.equal((await backEnd.readOrder(order)).status, "confirmed");
  });
});
