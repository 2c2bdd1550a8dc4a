import assert from "node:assert/strict";
import { until, type TestStoreProcesses } from "@store/kit/testing";
import { buy, buyConfirmed } from "../support/purchase.ts";
import { locationOf, type ShopClient } from "../support/shopClient.ts";
import { createOfficeClients, dropResponses, sharedStore } from "../support/testStore.ts";

describe("the storefront's office: orders and parcels", () => {
  let store: TestStoreProcesses;
  let clerk: ShopClient;
  let customer: ShopClient;

  before(async () => (store = await sharedStore()));
  beforeEach(async () => ({ clerk, customer } = await createOfficeClients(store)));

  /** Waits until the customer sees that the store has cancelled the order, and returns the page's text. */
  const cancelledPage = async (path: string): Promise<string> => {
    let text = "";
    await until("the customer sees it", async () => {
      text = (await customer.get(path)).visibleText;
      return text.includes("We had to cancel your order");
    });
    return text;
  };

  it("says above orders and parcels that nobody pays while payments are simulated", async () => {
    const { office } = await buyConfirmed(customer);
    for (const path of ["/office/orders", office, "/office/parcels"])
      assert.match((await clerk.get(path)).visibleText, /Trial: nobody pays\. .* is simulated/);
  });

  it("lists orders by status, with those that need attention first, and rejects a retry that isn't needed", async () => {
    const { path, office } = await buyConfirmed(customer);
    const id = path.slice("/orders/".length);
    const list = await clerk.get("/office/orders");
    assert.match(list.text, new RegExp(`href="${office}"`));
    assert.match(list.visibleText, /Ada Lovelace ada@example\.org/);
    assert.doesNotMatch(
      (await clerk.get("/office/orders?status=cancelled")).text,
      new RegExp(office),
    );

    const attention = (status: string) =>
      store.databases.orders.query("UPDATE orders SET status = $1 WHERE id = $2", [status, id]);
    await attention("needs_attention");
    const [, urgent = "", latest = ""] =
      /Needs attention<\/h2>([\s\S]*)Latest orders<\/h2>([\s\S]*)/.exec(
        (await clerk.get("/office/orders")).text,
      ) ?? [];
    assert.match(urgent, new RegExp(`action="${office}/retry"`));
    assert.match(latest, new RegExp(`href="${office}"`));
    assert.match((await customer.get(path)).visibleText, /We’re looking into your order/);
    await attention("confirmed");
    // A confirmed order has nothing to retry; the page shows the API's error.
    const refused = await clerk.post(`${office}/retry`, {});
    assert.equal(refused.status, 409);
    assert.match(refused.text, /role="alert"/);
  });

  it("cancels an order that needs attention", async () => {
    const path = await buy(customer, { "MUG-STONE": 1 }, "tok_slow");
    const id = path.slice("/orders/".length);
    const office = `/office${path}`;
    const orders = store.databases.orders;
    await until("its payment is in progress", async () => {
      const leased = await orders.query(
        "SELECT FROM sagas WHERE order_id = $1 AND lease IS NOT NULL",
        [id],
      );
      return leased.length > 0;
    });
    // The state after an unexpected rejection of a step.
    const failAt = async (step: string) => {
      await orders.query(
        "UPDATE sagas SET step = $2, lease = NULL, due_at = NULL WHERE order_id = $1",
        [id, step],
      );
      await orders.query(
        "UPDATE orders SET status = 'needs_attention', reason = $2 WHERE id = $1",
        [id, `${step}_refused`],
      );
    };
    await failAt("authorise");
    const form = new RegExp(`action="${office}/cancel"`);
    assert.match((await clerk.get("/office/orders")).text, form);
    assert.match((await clerk.get(office)).text, form);
    const done = await clerk.submit(`${office}/cancel`, {});
    assert.match(done.visibleText, /Cancellation started/);
    assert.match(done.visibleText, /Staff Cancellation by clerk \d/);
    const shown = await cancelledPage(path);
    assert.match(shown, /You were not charged/);
    const { items } = (await store.services.billing.json(`/api/billing/payments?order=${id}`, {
      headers: store.staff.headers,
    })) as { items: { status: string }[] };
    assert.ok(items.every(({ status }) => status === "voided"));
  });

  it("cancels a confirmed order: refunds it and stops its parcel", async () => {
    const { path, office } = await buyConfirmed(customer);
    const page = await clerk.get(office);
    // The first press only shows the consequences and a second button, because a cancellation is permanent.
    const [, summary = "", confirmation = ""] =
      /<details[^>]*>\s*<summary[^>]*>([\s\S]*?)<\/summary>([\s\S]*?)<\/details>/.exec(page.text) ??
      [];
    assert.match(summary, /Cancel and refund/);
    assert.match(confirmation, /stops the parcel.*can’t be undone/s);
    assert.match(confirmation, new RegExp(`action="${office}/cancel"`));
    assert.equal(page.text.split(`action="${office}/cancel"`).length, 2);
    const [dispatch = ""] = /\/office\/shipments\/[\w-]+\/dispatch/.exec(page.text) ?? [];
    assert.match((await clerk.submit(`${office}/cancel`, {})).visibleText, /Cancellation started/);
    const shown = await cancelledPage(path);
    // The customer was charged, and the refund takes its time.
    assert.doesNotMatch(shown, /not charged/);
    assert.match(shown, /We refund what you paid; it can take a few days to arrive/);
    assert.match(shown, /Cancelled: by our staff, with a refund/);
    const after = (await clerk.get(office)).visibleText;
    assert.match(after, /Staff Cancellation by clerk/);
    assert.match(after, /\$29\.00 refunded/);
    assert.match(after, /Parcel Cancelled: don’t send/);
    assert.doesNotMatch(after, /Mark as shipped/);
    // The page of the parcels may have been opened before.
    assert.equal((await clerk.post(dispatch, { from: "/office/parcels" })).status, 409);
  });

  it("marks a parcel as shipped and delivered once when the responses are lost", async () => {
    const { path, office } = await buyConfirmed(customer);
    const [, id = ""] =
      /\/office\/shipments\/([\w-]+)\/dispatch/.exec((await clerk.get(office)).text) ?? [];
    for (const action of ["dispatch", "deliver"]) {
      const send = `/office/shipments/${id}/${action}`;
      const lost = await dropResponses(store, "/api/shipping/", () =>
        clerk.post(send, { from: office }),
      );
      assert.equal(lost.status, 503);
      for (let n = 0; n < 2; n++) await clerk.submit(send, { from: office });
    }
    await until("the customer sees the delivery", async () =>
      (await customer.get(path)).visibleText.includes("Your parcel has been delivered"),
    );
    const { visibleText } = await customer.get(path);
    for (const once of [/Handed to the carrier/g, /Delivered \d/g]) {
      assert.equal(visibleText.match(once)?.length, 1, visibleText);
    }
    // Staff see who did it, customers don't.
    assert.match(
      (await clerk.get(office)).visibleText,
      /shipped [^;]+ by clerk; delivered [^;]+ by clerk/,
    );
    assert.doesNotMatch(visibleText, /clerk/);
  });

  it("retries or cancels an order once when the responses are lost", async () => {
    for (const [action, end] of [
      ["retry", "confirmed"],
      ["cancel", "cancelled"],
    ] as const) {
      const path = await buy(customer, { "MUG-STONE": 1 }, "tok_slow");
      const id = path.slice("/orders/".length);
      await until("its payment is in progress", async () => {
        const leased = await store.databases.orders.query(
          "SELECT FROM sagas WHERE order_id = $1 AND lease IS NOT NULL",
          [id],
        );
        return leased.length > 0;
      });
      await store.databases.orders.query(
        "UPDATE sagas SET step = 'authorise', lease = NULL, due_at = NULL WHERE order_id = $1",
        [id],
      );
      await store.databases.orders.query(
        "UPDATE orders SET status = 'needs_attention', reason = 'authorise_refused' WHERE id = $1",
        [id],
      );
      const send = `/office${path}/${action}`;
      const lost = await dropResponses(store, "/api/orders/", () => clerk.post(send, {}));
      assert.equal(lost.status, 503);
      await clerk.post(send, {});
      await until("the order has its final status", async () => {
        const { status } = (await store.services.orders.json(`/api${path}`)) as {
          status: string;
        };
        return status === end;
      });
      // Cancelling again changes nothing; a confirmed order can't be retried.
      assert.equal((await clerk.post(send, {})).status, action === "cancel" ? 303 : 409);
      const { items } = (await store.services.billing.json(`/api/billing/payments?order=${id}`, {
        headers: store.staff.headers,
      })) as { items: { status: string }[] };
      const paid = items.filter(({ status }) => status === "captured").length;
      assert.equal(paid, action === "cancel" ? 0 : 1);
    }
  });

  it("marks a parcel as shipped and delivered, and the customer's page shows it", async () => {
    const { path, office } = await buyConfirmed(customer);
    const parcels = await clerk.get("/office/parcels");
    assert.match(parcels.visibleText, /Ada Lovelace 12 Hill Street 3000 Melbourne Australia/);
    const send = /action="(\/office\/shipments\/[\w-]+\/dispatch)"/.exec(
      (await clerk.get(office)).text,
    )?.[1];
    const sent = await clerk.submit(send ?? "", { from: office });
    assert.match(sent.visibleText, /Shipped/);
    await until("the customer sees the shipment", async () =>
      (await customer.get(path)).visibleText.includes("Your parcel is on its way"),
    );
    const deliver = (send ?? "").replace("dispatch", "deliver");
    assert.equal(
      locationOf(await clerk.post(deliver, { from: "/office/parcels" })),
      "/office/parcels",
    );
    await until("the customer sees the delivery", async () =>
      (await customer.get(path)).visibleText.includes("Your parcel has been delivered"),
    );
    // The page to return to must belong to the office.
    assert.equal((await clerk.post(deliver, { from: "https://evil.example" })).status, 400);
  });

  it("shows errors of unavailable services in the office's layout", async () => {
    store.gateway.targets.set("shipping", undefined);
    const { status, visibleText } = await clerk.get("/office/parcels").finally(() => {
      store.gateway.targets.set("shipping", store.services.shipping.url);
    });
    assert.equal(status, 503);
    assert.match(visibleText, /Back office.*Orders Parcels Stock.*Temporarily unavailable/);
  });
});
