import assert from "node:assert/strict";
import { LONG_LEASE, newSku, type BackEnd } from "../support/backEnd.ts";
import { sharedBackEnd } from "../support/sharedBackEnd.ts";

describe("the committed goods of orders", () => {
  let backEnd: BackEnd;

  before(async () => {
    backEnd = await sharedBackEnd();
    await backEnd.useReplicas(2, LONG_LEASE);
  });
  afterEach(() => backEnd.resetFaults());

  const committed = async (...skus: string[]) => {
    const response = await backEnd.firstReplica.fetch(`/api/orders/committed?skus=${skus.join()}`, {
      headers: backEnd.staff.headers,
    });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("cache-control"), "no-store");
    return ((await response.json()) as { items: unknown[] }).items;
  };

  it("are for staff only", async () => {
    const response = await backEnd.firstReplica.fetch("/api/orders/committed?skus=MUG-STONE");
    assert.equal(response.status, 401);
  });

  it("are counted from the commit to the parcel", async () => {
    backEnd.onStep("ship", () => ({ status: 422 }));
    const order = await backEnd.place();
    await backEnd.waitForStatus(order, "needs_attention");
    const { sku } = order;
    assert.deepEqual(await committed(newSku(), sku), [{ sku, quantity: 1 }]);
    backEnd.resetFaults();
    await backEnd.retry(order.id);
    await backEnd.waitForStatus(order, "confirmed");
    assert.deepEqual(await committed(sku), []);
  });

  it("are counted until they are returned", async () => {
    backEnd.onStep("capture", () => ({ status: 409, type: "capture-refused" }));
    backEnd.onStep("return", () => ({ status: 503 }));
    const order = await backEnd.place();
    await backEnd.waitForStatus(order, "needs_attention");
    const { sku } = order;
    assert.deepEqual(await committed(sku), [{ sku, quantity: 1 }]);
    await backEnd.cancel(order.id);
    await backEnd.waitForAttempt(order);
    assert.deepEqual(await committed(sku), [{ sku, quantity: 1 }]);
    backEnd.resetFaults();
    await backEnd.waitForStatus(order, "cancelled");
    assert.deepEqual(await committed(sku), []);
  });

  it("are counted while nobody knows whether they are committed", async () => {
    const { sku, ...order } = await placeAtCommit({ status: 503 });
    assert.deepEqual(await committed(sku), [{ sku, quantity: 1 }]);
    backEnd.resetFaults();
    await backEnd.waitForStatus({ sku, ...order }, "confirmed");
  });

  it("aren't counted if the commit was refused", async () => {
    const { sku } = await placeAtCommit({ status: 404 });
    assert.deepEqual(await committed(sku), []);
  });

  async function placeAtCommit(handling: { readonly status: number }) {
    backEnd.onStep("commit", () => handling);
    const order = await backEnd.place();
    if (handling.status === 503) await backEnd.waitForAttempt(order);
    else await backEnd.waitForStatus(order, "needs_attention");
    return order;
  }
});
