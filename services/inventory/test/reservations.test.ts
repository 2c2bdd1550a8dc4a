import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { problemType, until } from "@store/kit/testing";
import { Inventory, NEVER_EXPIRE, SWEEPING } from "./support/inventory.ts";

describe("reservations", () => {
  let inventory: Inventory;

  before(async () => {
    inventory = await Inventory.start(2, NEVER_EXPIRE);
  });
  after(() => inventory.stop());

  describe("a hold", () => {
    it("reduces the available quantity but not the stock", async () => {
      const { sku } = await inventory.heldReservation(3, 10);
      assert.deepEqual(await inventory.stock(sku), { onHand: 10, held: 3, available: 7 });
      const shown = await inventory.send("GET", `/api/inventory/products/${sku}`);
      assert.equal(Reflect.get(shown.body, "available"), 7);
      assert.equal(Reflect.has(shown.body, "held"), false, "the held quantity isn't public");
    });

    it("expires after RESERVATION_SECONDS", async () => {
      const sku = await inventory.product(1);
      const { body } = await inventory.hold(randomUUID(), [{ sku, quantity: 1 }]);
      const seconds = (Date.parse(body.expiresAt ?? "") - Date.now()) / 1_000;
      assert.ok(Math.abs(seconds - 86_400) < 600, `${seconds} s`);
    });

    it("holds the stock once when it is repeated, with the same response", async () => {
      const sku = await inventory.product(10);
      const other = await inventory.product(10);
      const id = randomUUID();
      const lines = [
        { sku, quantity: 3 },
        { sku: other, quantity: 1 },
      ];
      const first = await inventory.hold(id, lines);
      assert.equal(first.status, 200);
      assert.equal(first.body.status, "held");
      for (const again of [lines, lines.toReversed()]) {
        const { status, body } = await inventory.hold(id, again);
        assert.equal(status, 200);
        assert.deepEqual(body, first.body);
      }
      assert.equal((await inventory.stock(sku)).held, 3);
    });

    it("holds the stock once for concurrent requests under the same id", async () => {
      const sku = await inventory.product(10);
      const id = randomUUID();
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => inventory.hold(id, [{ sku, quantity: 4 }])),
      );
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
      assert.equal(new Set(answers.map(({ body }) => JSON.stringify(body))).size, 1);
      assert.deepEqual(await inventory.stock(sku), { onHand: 10, held: 4, available: 6 });
    });

    it("is rejected with other lines under the same id", async () => {
      const { sku, id } = await inventory.heldReservation(3, 10);
      const other = await inventory.product(10);
      for (const lines of [
        [{ sku, quantity: 2 }],
        [{ sku: other, quantity: 3 }],
        [
          { sku, quantity: 3 },
          { sku: other, quantity: 1 },
        ],
      ]) {
        const answer = await inventory.hold(id, lines);
        assert.equal(answer.status, 422);
        assert.equal(problemType(answer), "reservation-differs");
      }
      assert.equal((await inventory.stock(sku)).held, 3);
      assert.equal((await inventory.stock(other)).held, 0);
    });

    it("holds all lines or none, and names the lines that are out of stock", async () => {
      const [enough, few, none] = [
        await inventory.product(10),
        await inventory.product(2),
        await inventory.product(0),
      ];
      const id = randomUUID();
      const answer = await inventory.hold(id, [
        { sku: none, quantity: 1 },
        { sku: enough, quantity: 1 },
        { sku: "T-NOWHERE", quantity: 1 },
        { sku: few, quantity: 3 },
      ]);
      assert.equal(answer.status, 409);
      assert.equal(problemType(answer), "out-of-stock");
      assert.deepEqual(answer.body.errors, [
        { in: "body", pointer: "/lines/0/quantity", message: `only 0 of ${none} available` },
        { in: "body", pointer: "/lines/2/sku", message: "there is no product T-NOWHERE" },
        { in: "body", pointer: "/lines/3/quantity", message: `only 2 of ${few} available` },
      ]);
      for (const sku of [enough, few, none]) assert.equal((await inventory.stock(sku)).held, 0);
      // The rejected request leaves no reservation, so the same id can hold other lines.
      assert.equal((await inventory.hold(id, [{ sku: enough, quantity: 1 }])).status, 200);
    });
  });

  describe("a commit", () => {
    it("removes the goods from the stock, once", async () => {
      const { sku, id, lines } = await inventory.heldReservation(3, 10);
      for (let i = 0; i < 3; i++) {
        const { status, body } = await inventory.commit(id);
        assert.equal(status, 200);
        assert.deepEqual(body, { id, status: "committed" });
        assert.deepEqual(await inventory.stock(sku), { onHand: 7, held: 0, available: 7 });
      }
      const late = await inventory.hold(id, lines);
      assert.deepEqual(late.body, { id, status: "committed", expiresAt: null });
      assert.deepEqual(await inventory.stock(sku), { onHand: 7, held: 0, available: 7 });
    });

    it("can't be cancelled", async () => {
      const { sku, id } = await inventory.heldReservation(3, 10);
      await inventory.commit(id);
      const answer = await inventory.cancel(id);
      assert.equal(answer.status, 409);
      assert.equal(problemType(answer), "reservation-committed");
      assert.equal((await inventory.stock(sku)).onHand, 7);
    });

    it("responds 404 to an unknown reservation", async () => {
      assert.equal((await inventory.commit(randomUUID())).status, 404);
    });

    it("can sell the last item", async () => {
      const { sku, id } = await inventory.heldReservation(1, 1);
      assert.equal((await inventory.commit(id)).status, 200);
      assert.deepEqual(await inventory.stock(sku), { onHand: 0, held: 0, available: 0 });
    });
  });

  describe("a return", () => {
    it("puts committed goods back, once, and rejects later requests", async () => {
      const { sku, id } = await inventory.heldReservation(3, 10);
      await inventory.commit(id);
      const etag = async () =>
        (await inventory.asStaff("GET", `/api/inventory/stock/${sku}`)).headers.get("etag");
      const before = await etag();
      const answers = await Promise.all(Array.from({ length: 5 }, () => inventory.return(id)));
      for (const { status, body } of answers) {
        assert.equal(status, 200);
        assert.deepEqual(body, { id, status: "cancelled" });
      }
      assert.notEqual(await etag(), before);
      assert.equal(problemType(await inventory.commit(id)), "reservation-cancelled");
      assert.deepEqual(await inventory.stock(sku), { onHand: 10, held: 0, available: 10 });
    });

    it("cancels a reservation that isn't committed", async () => {
      const { sku, id } = await inventory.heldReservation(3, 10);
      assert.equal((await inventory.return(id)).status, 200);
      assert.deepEqual(await inventory.stock(sku), { onHand: 10, held: 0, available: 10 });
      assert.equal((await inventory.return(randomUUID())).status, 200);
    });
  });

  describe("a cancellation", () => {
    it("releases the stock, once", async () => {
      const { sku, id } = await inventory.heldReservation(3, 10);
      for (let i = 0; i < 3; i++) {
        const { status, body } = await inventory.cancel(id);
        assert.equal(status, 200);
        assert.deepEqual(body, { id, status: "cancelled" });
        assert.deepEqual(await inventory.stock(sku), { onHand: 10, held: 0, available: 10 });
      }
    });

    const refusesLateCalls = async (id: string, sku: string) => {
      for (const answer of [
        await inventory.hold(id, [{ sku, quantity: 3 }]),
        await inventory.hold(id, [{ sku, quantity: 1 }]),
        await inventory.commit(id),
      ]) {
        assert.equal(answer.status, 409);
        assert.equal(problemType(answer), "reservation-cancelled");
      }
      assert.deepEqual(await inventory.stock(sku), { onHand: 10, held: 0, available: 10 });
    };
    it("rejects a late hold and a late commit", async () => {
      const { sku, id } = await inventory.heldReservation(3, 10);
      await inventory.cancel(id);
      await refusesLateCalls(id, sku);
    });
    it("rejects them also if it arrives before the hold", async () => {
      const sku = await inventory.product(10);
      const id = randomUUID();
      assert.equal((await inventory.cancel(id)).status, 200);
      await refusesLateCalls(id, sku);
    });
  });

  describe("that are invalid", () => {
    const line = { sku: "T-1", quantity: 1 };
    const cases: [string, unknown, number, string?][] = [
      ["no lines", { lines: [] }, 400, "/lines"],
      ["nothing", {}, 400, "/lines"],
      ["quantity 0", { lines: [{ ...line, quantity: 0 }] }, 400, "/lines/0/quantity"],
      ["quantity -1", { lines: [{ ...line, quantity: -1 }] }, 400, "/lines/0/quantity"],
      ["quantity 1.5", { lines: [{ ...line, quantity: 1.5 }] }, 400, "/lines/0/quantity"],
      ["quantity 10^12", { lines: [{ ...line, quantity: 1e12 }] }, 400, "/lines/0/quantity"],
      ["a quantity as a string", { lines: [{ ...line, quantity: "1" }] }, 400, "/lines/0/quantity"],
      ["a SKU in lower case", { lines: [{ ...line, sku: "t-1" }] }, 400, "/lines/0/sku"],
      [
        "51 lines",
        { lines: Array.from({ length: 51 }, (_value, i) => ({ ...line, sku: `T-${i}` })) },
        400,
        "/lines",
      ],
      ["a repeated sku", { lines: [line, { ...line, quantity: 2 }] }, 422, "/lines/1/sku"],
      ["an unknown field", { lines: [line], price: 1 }, 400, "/price"],
    ];
    for (const [description, body, status, pointer] of cases) {
      it(`are rejected: ${description}`, async () => {
        const answer = await inventory.send("PUT", `/internal/reservations/${randomUUID()}`, body);
        assert.equal(answer.status, status);
        assert.deepEqual(
          answer.body.errors?.map((error) => error.pointer),
          [pointer],
        );
      });
    }
    it("are rejected: an invalid id", async () => {
      for (const path of ["x", randomUUID().toUpperCase()]) {
        const answer = await inventory.send("PUT", `/internal/reservations/${path}`, {
          lines: [line],
        });
        assert.equal(answer.status, 400);
        assert.equal(answer.body.errors?.[0]?.pointer, "/id");
      }
    });
  });

  it("are counted by outcome, with a gauge of current holds", async () => {
    const measured = await Inventory.start(1, SWEEPING);
    const sku = await measured.product(10);
    const ids = Array.from({ length: 4 }, () => randomUUID());
    const [toCommit = "", toCancel = "", ...others] = ids;
    for (const id of ids) await measured.hold(id, [{ sku, quantity: 1 }]);
    await measured.hold(toCommit, [{ sku, quantity: 1 }]);
    const metrics = async () => (await measured.replicas.running[0]?.fetch("/metrics"))?.text();
    assert.match((await metrics()) ?? "", /^inventory_reservations_held 4$/m);
    await measured.commit(toCommit);
    await measured.cancel(toCancel);
    await measured.cancel(toCancel);
    await measured.makeOverdue(...others);
    await until("the others are swept", async () => (await measured.stock(sku)).held === 0);
    const text = (await metrics()) ?? "";
    for (const [outcome, count] of Object.entries({
      held: 4,
      committed: 1,
      cancelled: 1,
      expired: 2,
    })) {
      assert.match(
        text,
        new RegExp(`^inventory_reservations_total\\{outcome="${outcome}"\\} ${count}$`, "m"),
      );
    }
    assert.match(text, /^inventory_reservations_held 0$/m);

    // While the table is locked for longer than the statement timeout, the other metrics are still reported.
    const lockHolder = await measured.replicas.database.connect();
    await lockHolder.query("BEGIN; LOCK TABLE reservations");
    const without = (await metrics()) ?? "";
    await lockHolder.end();
    assert.match(without, /^inventory_reservations_total\{outcome="held"\} 4$/m);
    assert.doesNotMatch(without, /^inventory_reservations_held /m);
    await measured.stop();
  });
});
