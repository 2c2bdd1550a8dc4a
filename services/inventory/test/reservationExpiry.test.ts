import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { problemType, until } from "@store/kit/testing";
import { Inventory, NEVER_EXPIRE, SWEEPING } from "./support/inventory.ts";

describe("overdue reservations", () => {
  let inventory: Inventory;

  before(async () => {
    inventory = await Inventory.start(2, NEVER_EXPIRE);
  });
  after(() => inventory.stop());

  let sweeping: Inventory;
  before(async () => {
    sweeping = await Inventory.start(2, SWEEPING);
  });
  after(() => sweeping.stop());
  const expired = async (quantity: number, onHand: number) => {
    const sku = await sweeping.product(onHand);
    const id = randomUUID();
    const lines = [{ sku, quantity }];
    assert.equal((await sweeping.hold(id, lines)).status, 200);
    await sweeping.makeOverdue(id);
    await until("it is swept", async () => (await sweeping.stock(sku)).held === 0);
    return { sku, id, lines };
  };

  it("release their stock once with two sweeping replicas", async () => {
    const skus = await Promise.all(Array.from({ length: 3 }, () => sweeping.product(40)));
    const ids = Array.from({ length: 40 }, () => randomUUID());
    await Promise.all(
      ids.map((id, i) =>
        sweeping.hold(
          id,
          (i % 2 === 0 ? skus : skus.toReversed()).map((sku) => ({ sku, quantity: 1 })),
        ),
      ),
    );
    for (const sku of skus) {
      assert.deepEqual(await sweeping.stock(sku), { onHand: 40, held: 40, available: 0 });
    }
    await sweeping.makeOverdue(...ids);
    await until("all are swept", async () => {
      const stocks = await Promise.all(skus.map((sku) => sweeping.stock(sku)));
      return stocks.every(({ held }) => held === 0);
    });
    // A second release of the same hold would make the held quantity negative, which a CHECK rejects.
    for (const sku of skus) {
      assert.deepEqual(await sweeping.stock(sku), { onHand: 40, held: 0, available: 40 });
    }
    for (const { log } of sweeping.replicas.running)
      assert.deepEqual(
        log.filter(({ level }) => level === "error"),
        [],
      );
  });

  it("are held again by a repeated request if the stock is available", async () => {
    const { sku, id, lines } = await expired(3, 4);
    const { status, body } = await sweeping.hold(id, lines);
    assert.equal(status, 200);
    assert.ok(Date.parse(body.expiresAt ?? "") > Date.now());
    assert.equal((await sweeping.stock(sku)).held, 3);
  });

  it("aren't held again if the stock is gone", async () => {
    const { sku, id, lines } = await expired(3, 4);
    assert.equal((await sweeping.put(sku, 2)).status, 200);
    for (const answer of [await sweeping.hold(id, lines), await sweeping.commit(id)]) {
      assert.equal(answer.status, 409);
      assert.equal(problemType(answer), "out-of-stock");
      assert.equal(answer.body.errors?.[0]?.pointer, "/lines/0/quantity");
    }
    assert.deepEqual(await sweeping.stock(sku), { onHand: 2, held: 0, available: 2 });
    // The rejection isn't final: with enough stock, the commit succeeds.
    assert.equal((await sweeping.put(sku, 3)).status, 200);
    assert.equal((await sweeping.commit(id)).status, 200);
    assert.deepEqual(await sweeping.stock(sku), { onHand: 0, held: 0, available: 0 });
  });

  it("can be committed if the stock is available", async () => {
    const { sku, id } = await expired(3, 4);
    assert.equal((await sweeping.commit(id)).status, 200);
    assert.deepEqual(await sweeping.stock(sku), { onHand: 1, held: 0, available: 1 });
  });

  it("can be cancelled", async () => {
    const { sku, id, lines } = await expired(3, 4);
    assert.equal((await sweeping.cancel(id)).status, 200);
    assert.deepEqual(await sweeping.stock(sku), { onHand: 4, held: 0, available: 4 });
    assert.equal(problemType(await sweeping.hold(id, lines)), "reservation-cancelled");
  });

  it("keep their stock until a sweep expires them", async () => {
    const one = await inventory.heldReservation(3, 3);
    await inventory.makeOverdue(one.id);
    const again = await inventory.hold(one.id, one.lines);
    assert.equal(again.status, 200);
    assert.ok(Date.parse(again.body.expiresAt ?? "") > Date.now());
    await inventory.makeOverdue(one.id);
    assert.equal((await inventory.commit(one.id)).status, 200);
    assert.deepEqual(await inventory.stock(one.sku), { onHand: 0, held: 0, available: 0 });
  });

  it("can be committed or cancelled during a sweep, and the stock matches the result", async () => {
    const racing = await Inventory.start(2, { ...SWEEPING, RESERVATION_SWEEP_MS: "10" });
    for (let round = 0; round < 40; round++) {
      const sku = await racing.product(5);
      const id = randomUUID();
      await racing.hold(id, [{ sku, quantity: 2 }]);
      const [answer] = await Promise.all([
        round % 2 === 0 ? racing.commit(id) : racing.cancel(id),
        racing.makeOverdue(id),
      ]);
      assert.equal(answer.status, 200);
      const left = round % 2 === 0 ? 3 : 5;
      assert.deepEqual(await racing.stock(sku), { onHand: left, held: 0, available: left });
    }
    await racing.stop();
  });
});
