import assert from "node:assert/strict";
import { until, type TestStoreProcesses } from "@store/kit/testing";
import { buyConfirmed } from "../support/purchase.ts";
import type { ShopClient } from "../support/shopClient.ts";
import { createOfficeClients, sharedStore } from "../support/testStore.ts";

describe("the storefront's office: reports about payments", () => {
  let store: TestStoreProcesses;
  let clerk: ShopClient;
  let customer: ShopClient;

  before(async () => (store = await sharedStore()));
  beforeEach(async () => ({ clerk, customer } = await createOfficeClients(store)));

  /** Stores a dispute about an order as billing does when the payment provider reports one. The simulated provider reports none. */
  const openDispute = async (order: string): Promise<void> => {
    const { billing } = store.databases;
    await billing.query(
      `INSERT INTO disputes (id, payment_id, amount, status, reason, respond_by, reported_at)
       SELECT 'du_' || order_id, id, amount, 'open', 'fraudulent', '2030-01-02T03:04Z', now()
       FROM payments WHERE order_id = $1`,
      [order],
    );
    await billing.query(
      `INSERT INTO payment_changes (change, cause, payment_id, kind, subject, amount, reason, respond_by)
       SELECT coalesce((SELECT max(change) FROM payment_changes), 0) + 1, 'evt_' || order_id, id, 'dispute_opened',
         'du_' || order_id, amount, 'fraudulent', '2030-01-02T03:04Z'
       FROM payments WHERE order_id = $1`,
      [order],
    );
  };

  /** Stores the report of a failed refund, likewise. */
  const failRefund = async (order: string): Promise<void> => {
    await store.databases.billing.query(
      `INSERT INTO payment_changes (change, cause, payment_id, kind, subject, amount, reason)
       SELECT coalesce((SELECT max(change) FROM payment_changes), 0) + 1, 'evt_refund_' || order_id, id, 'refund_failed',
         're_' || order_id, amount, 'expired_or_canceled_card'
       FROM payments WHERE order_id = $1`,
      [order],
    );
  };

  it("keeps a report that has arrived after the clerk's page was sent, when the clerk marks the order as handled", async () => {
    const { path, office } = await buyConfirmed(customer);
    const order = path.slice("/orders/".length);
    await openDispute(order);
    let page = await clerk.get(office);
    await until("the dispute is shown", async () => {
      page = await clerk.get(office);
      return page.text.includes(`action="${office}/resolve"`);
    });
    const fields = page.form(`${office}/resolve`);
    await failRefund(order);
    await until("the failed refund is shown", async () =>
      (await clerk.get(office)).visibleText.includes("Refund failed"),
    );
    const done = await clerk.submit(`${office}/resolve`, fields);
    assert.match(done.visibleText, /Marked as handled\./);
    assert.match(done.visibleText, /Mark the order as handled .*\. Refund failed/);
    assert.doesNotMatch(done.visibleText, /\. Dispute opened: /);
    const all = await clerk.submit(`${office}/resolve`, done.form(`${office}/resolve`));
    assert.doesNotMatch(all.text, new RegExp(`action="${office}/resolve"`));
  });

  it("doesn't trouble the customer with a dispute, which doesn't change what they get", async () => {
    const { path, office } = await buyConfirmed(customer);
    await openDispute(path.slice("/orders/".length));
    await until("the order needs attention", async () =>
      (await clerk.get(office)).text.includes(`action="${office}/resolve"`),
    );
    const assertConfirmed = async () => {
      const { text, visibleText } = await customer.get(path);
      assert.match(visibleText, /Thank you, your order is confirmed/);
      assert.match(text, /aria-current="step"\s*>\s*Confirmed/);
      assert.doesNotMatch(visibleText, /[Dd]ispute|review/);
      assert.equal(visibleText.split("Reserved and paid").length, 2, "once in the timeline");
      assert.match((await customer.get("/orders")).visibleText, /Confirmed/);
    };
    await assertConfirmed();
    await clerk.submit(`${office}/resolve`, {});
    await assertConfirmed();
  });

  it("lists an order with a dispute first, with the time for the answer, until a clerk has handled it", async () => {
    const { path, office } = await buyConfirmed(customer);
    await openDispute(path.slice("/orders/".length));
    let list = "";
    await until("the order needs attention", async () => {
      const { text, visibleText } = await clerk.get("/office/orders");
      list = visibleText;
      return text.includes(`action="${office}/resolve"`);
    });
    const answer = /Answer it in the payment provider’s dashboard before 2 Jan 2030, 3:04 am UTC/;
    assert.match(list, /Dispute opened: \$29\.00 \(fraudulent\)\. Answer/);
    assert.match(list, answer);

    const page = await clerk.get(office);
    assert.match(page.visibleText, /Dispute about \$29\.00 \(fraudulent\) open\. Answer/);
    assert.match(page.visibleText, answer);
    assert.match(page.visibleText, /Mark the order as handled .*\. Dispute opened: \$29\.00/);
    assert.match(page.text, new RegExp(`action="${office}/cancel"`), "it isn't shipped yet");
    assert.doesNotMatch(page.text, new RegExp(`action="${office}/retry"`));

    const done = await clerk.submit(`${office}/resolve`, {});
    assert.match(done.visibleText, /Marked as handled\./);
    assert.match(done.visibleText, /Staff Marked as handled by clerk \d/);
    assert.doesNotMatch(done.text, new RegExp(`action="${office}/resolve"`));
    assert.match((await customer.get(path)).visibleText, /your order is confirmed/);
  });

  it("cancels an order of which everything is refunded, and stops its parcel", async () => {
    const { path, office } = await buyConfirmed(customer);
    const page = await clerk.get(office);
    assert.match(page.visibleText, /Refunding everything cancels an order/);
    const form = page.form(`${office}/refunds`);
    await clerk.submit(`${office}/refunds`, form);
    await until("the customer sees it", async () =>
      (await customer.get(path)).visibleText.includes("We refund what you paid"),
    );
    const { visibleText } = await clerk.get(office);
    assert.match(visibleText, /Parcel Cancelled: don’t send/);
    assert.match(visibleText, /\$29\.00 refunded by clerk/);
  });
});
