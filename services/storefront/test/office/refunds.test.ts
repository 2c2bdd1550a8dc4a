import assert from "node:assert/strict";
import type { TestStoreProcesses } from "@store/kit/testing";
import { buyConfirmed } from "../support/purchase.ts";
import type { ShopClient } from "../support/shopClient.ts";
import { createOfficeClients, dropResponses, sharedStore } from "../support/testStore.ts";

describe("the storefront's office: refunds", () => {
  let store: TestStoreProcesses;
  let clerk: ShopClient;
  let customer: ShopClient;

  before(async () => (store = await sharedStore()));
  beforeEach(async () => ({ clerk, customer } = await createOfficeClients(store)));

  it("refunds a part once per form, and not more than is left", async () => {
    const { office } = await buyConfirmed(customer);
    const action = `${office}/refunds`;
    const form = (await clerk.get(office)).form(action);
    assert.equal(form.amount, "29.00");
    const part = { ...form, amount: "9.00", reason: "a chip" };
    assert.match((await clerk.submit(action, part)).visibleText, /Refund started/);
    const twice = await clerk.submit(action, part);
    assert.equal(twice.visibleText.match(/\$9\.00 (refund pending|refunded)/g)?.length, 1);
    assert.match(twice.visibleText, /\(a chip\) by clerk/);
    assert.equal(twice.form(action).amount, "20.00");

    const more = await clerk.post(action, {
      ...twice.form(action),
      amount: "20.01",
      reason: "all",
    });
    assert.equal(more.status, 409);
    assert.equal(more.form(action).amount, "20.01");
    assert.match(more.text, /id="amount-[\w-]+-error">/);
    const none = await clerk.post(action, { ...twice.form(action), amount: "lots" });
    assert.equal(none.status, 422);
  });

  describe("when the response to a refund is lost", () => {
    const refundsOf = async (order: string) =>
      store.databases.billing.query<{ amount: number }>(
        `SELECT refunds.amount::integer FROM refunds JOIN payments ON payments.id = payment_id
         WHERE order_id = $1 ORDER BY refunds.created_at`,
        [order.replace("/orders/", "")],
      );
    const part = { amount: "9.00", reason: "a chip" };

    it("keeps the form, which refunds once however often it is submitted", async () => {
      const { path, office } = await buyConfirmed(customer);
      const action = `${office}/refunds`;
      const form = { ...(await clerk.get(office)).form(action), ...part };
      const lost = await dropResponses(store, "/api/billing/", () => clerk.post(action, form));
      assert.equal(lost.status, 503);
      assert.match(lost.visibleText, /we don’t know whether the refund was made/);
      assert.deepEqual(lost.form(action), form);
      for (let n = 0; n < 2; n++) {
        const done = await clerk.submit(action, lost.form(action));
        assert.match(done.visibleText, /Refund started/);
      }
      assert.equal((await refundsOf(path)).length, 1);
    });

    it("keeps the form while billing is down", async () => {
      const { office } = await buyConfirmed(customer);
      const action = `${office}/refunds`;
      const form = { ...(await clerk.get(office)).form(action), ...part };
      store.gateway.targets.set("billing", undefined);
      const lost = await clerk.post(action, form).finally(() => {
        store.gateway.targets.set("billing", store.services.billing.url);
      });
      assert.equal(lost.status, 503);
      assert.deepEqual(lost.form(action), form);
    });

    it("makes the same refund once when a colleague submits it from another page", async () => {
      const { path, office } = await buyConfirmed(customer);
      const action = `${office}/refunds`;
      const forms: Record<string, string>[] = [];
      for (let n = 0; n < 2; n++) forms.push((await clerk.get(office)).form(action));
      const colleague = clerk.clone();
      await dropResponses(store, "/api/billing/", () =>
        clerk.post(action, { ...forms[0], ...part }),
      );
      await colleague.submit(action, { ...forms[1], ...part });
      assert.equal((await refundsOf(path)).length, 1);
      // A different refund from an outdated page needs to be submitted again.
      const other = await colleague.post(action, { ...forms[1], amount: "5.00", reason: "" });
      assert.equal(other.status, 422);
      assert.match(other.visibleText, /Another refund, listed above, was made/);
      assert.match(other.visibleText, /\$9\.00 (refund pending|refunded) \(a chip\)/);
      assert.equal(other.form(action).amount, "5.00");
      await colleague.submit(action, other.form(action));
      assert.deepEqual(
        (await refundsOf(path)).map(({ amount }) => amount),
        [900, 500],
      );
    });
  });

  it("rejects a refund form with an invalid key or payment", async () => {
    const { path, office } = await buyConfirmed(customer);
    const action = `${office}/refunds`;
    const form = (await clerk.get(office)).form(action);
    const { key: _key, ...keyless } = form;
    const { payment = "" } = form;
    for (const wrong of [
      ...["", "a\nb", "日", "x".repeat(256)].map((key) => ({ ...form, key })),
      ...["", "..", "../..", payment.toUpperCase(), "日"].map((payment) => ({
        ...form,
        payment,
      })),
      keyless,
    ]) {
      const answer = await clerk.post(action, wrong);
      assert.equal(answer.status, 400, JSON.stringify(wrong));
      assert.match(answer.visibleText, /nothing was refunded/);
      assert.deepEqual(answer.form(action), form);
    }
    const { items } = (await store.services.billing.json(
      `/api/billing/payments?order=${path.slice("/orders/".length)}`,
      { headers: store.staff.headers },
    )) as { items: { refunds: unknown[] }[] };
    assert.deepEqual(items[0]?.refunds, []);
  });
});
