import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { problemType } from "@store/kit/testing";
import { Inventory, NEVER_EXPIRE, type Answer } from "./support/inventory.ts";

describe("concurrent reservations", () => {
  let inventory: Inventory;

  before(async () => {
    inventory = await Inventory.start(2, NEVER_EXPIRE);
  });
  after(() => inventory.stop());

  it("never oversell: 50 requests to two replicas get 10 items", async () => {
    const sku = await inventory.product(10);
    const ids = Array.from({ length: 50 }, () => randomUUID());
    const answers = await Promise.all(
      ids.map(async (id) => ({ id, ...(await inventory.hold(id, [{ sku, quantity: 1 }])) })),
    );
    const won = answers.filter(({ status }) => status === 200);
    const lost = answers.filter(({ status }) => status !== 200);
    assert.equal(won.length, 10);
    assert.deepEqual(new Set(lost.map(problemType)), new Set(["out-of-stock"]));
    assert.deepEqual(await inventory.stock(sku), { onHand: 10, held: 10, available: 0 });
    await Promise.all(won.map(({ id }) => inventory.commit(id)));
    assert.deepEqual(await inventory.stock(sku), { onHand: 0, held: 0, available: 0 });
  });

  it("don't deadlock with lines in opposite orders", async () => {
    const skus = await Promise.all(Array.from({ length: 6 }, () => inventory.product(1_000)));
    const ids = Array.from({ length: 30 }, () => randomUUID());
    const statuses = async (work: (id: string, index: number) => Promise<Answer>) =>
      new Set((await Promise.all(ids.map(work))).map(({ status }) => status));
    const forth = skus.map((sku) => ({ sku, quantity: 1 }));
    const held = await statuses((id, i) =>
      inventory.hold(id, i % 2 === 0 ? forth : forth.toReversed()),
    );
    assert.deepEqual(held, new Set([200]));
    const ended = await statuses((id, i) =>
      i % 2 === 0 ? inventory.commit(id) : inventory.cancel(id),
    );
    assert.deepEqual(ended, new Set([200]));
    for (const sku of skus) {
      assert.deepEqual(await inventory.stock(sku), { onHand: 985, held: 0, available: 985 });
    }
    const [row] = await inventory.replicas.database.query<{ deadlocks: string }>(
      "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()",
    );
    assert.equal(row?.deadlocks, "0");
  });

  it("let exactly one of a commit and a cancellation win, and the stock matches it", async () => {
    const winners = new Map<string, number>();
    for (let round = 0; round < 60; round++) {
      const { sku, id } = await inventory.heldReservation(2, 5);
      const [committed, cancelled] = await Promise.all([
        inventory.commit(id),
        inventory.cancel(id),
      ]);
      const statuses = [committed.status, cancelled.status];
      const winner = committed.status === 200 ? "commit" : "cancel";
      winners.set(winner, (winners.get(winner) ?? 0) + 1);
      assert.deepEqual(statuses, winner === "commit" ? [200, 409] : [409, 200]);
      const left = winner === "commit" ? 3 : 5;
      assert.deepEqual(await inventory.stock(sku), { onHand: left, held: 0, available: left });
    }
    console.log(`      won: ${JSON.stringify(Object.fromEntries(winners))}`);
  });

  it("leave nothing held after a hold and its cancellation", async () => {
    for (let round = 0; round < 60; round++) {
      const sku = await inventory.product(5);
      const id = randomUUID();
      const [hold, cancelled] = await Promise.all([
        inventory.hold(id, [{ sku, quantity: 2 }]),
        inventory.cancel(id),
      ]);
      assert.equal(cancelled.status, 200);
      assert.ok(hold.status === 200 || problemType(hold) === "reservation-cancelled");
      assert.deepEqual(await inventory.stock(sku), { onHand: 5, held: 0, available: 5 });
      assert.equal(problemType(await inventory.commit(id)), "reservation-cancelled");
    }
  });
});
