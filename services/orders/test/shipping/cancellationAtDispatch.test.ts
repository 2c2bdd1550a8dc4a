import assert from "node:assert/strict";
import { until } from "@store/kit/testing";
import { LONG_LEASE, type BackEnd, type PlacedOrder } from "../support/backEnd.ts";
import { withLockedOrder } from "../support/lockedOrder.ts";
import { sharedBackEnd } from "../support/sharedBackEnd.ts";

/** The writes of the replica that follows the parcels, for a dispatched one. */
const SHIP = `
  WITH changed AS (UPDATE orders SET status = 'shipped', reason = NULL WHERE id = $1 RETURNING id)
  INSERT INTO order_history (order_id, status) SELECT id, 'shipped' FROM changed`;

/** The write of a replica that begins the cancellation of a confirmed order. */
const CANCEL =
  "INSERT INTO sagas (order_id, step, reason) VALUES ($1, 'unship', 'cancelled_by_store')";

describe("a confirmed order that is cancelled at the moment of its dispatch", () => {
  let backEnd: BackEnd;

  before(async () => {
    backEnd = await sharedBackEnd();
    await backEnd.useReplicas(2, LONG_LEASE);
  });
  afterEach(() => backEnd.resetFaults());

  const assertShipped = async (order: PlacedOrder) => {
    const { status, reason, history, payments, onHand } = await backEnd.readOutcome(order);
    assert.deepEqual([status, reason, onHand], ["shipped", undefined, 4]);
    assert.deepEqual(history, ["pending", "confirmed", "shipped"]);
    assert.equal(await backEnd.sagaOf(order), undefined);
    return payments;
  };

  it("stays shipped if staff cancel it before the dispatch is committed", async () => {
    const order = await backEnd.placeConfirmed();
    let cancellation: Promise<Response> | undefined;
    await withLockedOrder(backEnd.database, order, async ({ run, untilAnotherWaits }) => {
      await run(SHIP);
      cancellation = backEnd.cancel(order.id);
      await untilAnotherWaits();
    });
    const response = await cancellation;
    assert.equal(response?.status, 409);
    const { type } = (await response.json()) as { type: string };
    assert.equal(type, "urn:store:problem:order-not-cancellable");
    assert.deepEqual(await assertShipped(order), ["captured"]);
    assert.deepEqual(await backEnd.staffActions(order.id), []);
  });

  it("stays shipped if its payment is refunded before the dispatch is committed", async () => {
    const [order, last] = [await backEnd.placeConfirmed(), await backEnd.placeConfirmed()];
    await withLockedOrder(backEnd.database, order, async ({ run, untilAnotherWaits }) => {
      await run(SHIP);
      await backEnd.refund(order);
      await untilAnotherWaits();
    });
    // Changes of payments are applied in their order.
    await backEnd.refund(last);
    await backEnd.waitForStatus(last, "cancelled");
    assert.deepEqual(await assertShipped(order), ["refunded"]);
  });

  it("is shipped if the dispatch waits for the begin of the cancellation", async () => {
    const order = await backEnd.placeConfirmed();
    await withLockedOrder(backEnd.database, order, async ({ run, untilAnotherWaits }) => {
      assert.equal((await backEnd.dispatch(order)).status, 200);
      await untilAnotherWaits();
      await run(CANCEL);
    });
    await until("the order was shipped, and its saga has ended", async () => {
      const { history } = await backEnd.readOutcome(order);
      return history.includes("shipped") && (await backEnd.sagaOf(order)) === undefined;
    });
    assert.deepEqual(await assertShipped(order), ["captured"]);
  });
});
