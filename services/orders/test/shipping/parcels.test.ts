import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { until } from "@store/kit/testing";
import { LONG_LEASE, type BackEnd, type PlacedOrder } from "../support/backEnd.ts";
import { sharedBackEnd } from "../support/sharedBackEnd.ts";

describe("an order whose parcel exists", () => {
  let backEnd: BackEnd;

  before(async () => {
    backEnd = await sharedBackEnd();
    await backEnd.useReplicas(2, LONG_LEASE);
  });
  afterEach(() => backEnd.resetFaults());

  const moveParcel = async (order: PlacedOrder, to: "dispatch" | "deliver") => {
    const response = await backEnd.sendTo("shipping", `/api/shipping/shipments?order=${order.id}`);
    const [shipment] = ((await response.json()) as { items: { id: string }[] }).items;
    assert.ok(shipment);
    const moved = await backEnd.sendTo("shipping", `/api/shipping/shipments/${shipment.id}/${to}`, {
      method: "POST",
    });
    assert.equal(moved.status, 200);
  };

  it("follows the parcel and records each status once", async () => {
    const orders = await Promise.all(Array.from({ length: 5 }, () => backEnd.place()));
    for (const order of orders) await backEnd.waitForStatus(order, "confirmed");
    await Promise.all(orders.map((order) => moveParcel(order, "dispatch")));
    for (const order of orders) await backEnd.waitForStatus(order, "shipped");
    await Promise.all(orders.map((order) => moveParcel(order, "deliver")));
    for (const order of orders) {
      const { history } = await backEnd.waitForStatus(order, "delivered");
      assert.deepEqual(
        history.map(({ status }) => status),
        ["pending", "confirmed", "shipped", "delivered"],
      );
    }
  });

  it("is confirmed by the parcel even if the last response was lost", async () => {
    backEnd.onStep("ship", () => "dropResponse");
    const order = await backEnd.place();
    await until(
      "the parcel is created",
      async () => (await backEnd.readOutcome(order)).shipments === 1,
    );
    assert.equal((await backEnd.readOrder(order)).status, "pending");
    await moveParcel(order, "dispatch");
    const { history } = await backEnd.waitForStatus(order, "shipped");
    assert.deepEqual(
      history.map(({ status }) => status),
      ["pending", "confirmed", "shipped"],
    );
    assert.equal(await backEnd.sagaOf(order), undefined);
    const calls = backEnd.stepsOf(order).length;
    await delay(700);
    assert.ok(backEnd.stepsOf(order).length <= calls + 1, "the call isn't repeated any more");
  });

  it("is followed after a restoration of shipping's database, which gives the same numbers again", async () => {
    const shipping = backEnd.upstreamDatabase("shipping");
    const early = await backEnd.place();
    const [before, lost, after] = [early, await backEnd.place(), await backEnd.place()];
    for (const order of [before, lost, after]) await backEnd.waitForStatus(order, "confirmed");
    await moveParcel(before, "dispatch");
    await backEnd.waitForStatus(before, "shipped");
    await moveParcel(lost, "dispatch");
    await backEnd.waitForStatus(lost, "shipped");
    // The backup was made between the two dispatches.
    const [deleted] = await shipping.query<{ change: number }>(
      "DELETE FROM shipment_changes WHERE change = (SELECT max(change) FROM shipment_changes) RETURNING change",
    );
    await shipping.query(
      "UPDATE shipments SET status = 'pending', dispatched_at = NULL WHERE order_id = $1",
      [lost.id],
    );
    await moveParcel(after, "dispatch");
    await backEnd.waitForStatus(after, "shipped");
    const [cursor] = await backEnd.database.query<{ seen: string }>(
      "SELECT seen FROM shipping_cursor",
    );
    assert.ok(cursor?.seen.startsWith(`${deleted?.change} ${after.id} dispatched `), cursor?.seen);
    await moveParcel(lost, "dispatch");
    await moveParcel(lost, "deliver");
    const { history } = await backEnd.waitForStatus(lost, "delivered");
    assert.deepEqual(
      history.map(({ status }) => status),
      ["pending", "confirmed", "shipped", "delivered"],
    );
  });
});
