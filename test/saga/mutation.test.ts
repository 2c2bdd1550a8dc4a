import assert from "node:assert/strict";
import type { Invariant } from "./findings.ts";
import { makeMutant, removeMutant, type Mutant } from "./mutants.ts";
import {
  lastOne,
  lateAuthorisation,
  lateReservations,
  repeatedOrders,
  scarceStock,
  slowSteps,
  type Scenario,
} from "./scenarios.ts";
import { backEnd, beginRound, finishRound } from "./shared.ts";

interface Mutation {
  readonly removed: string;
  readonly mutant: Mutant;
  readonly scenario: Scenario;
  /** What must be seen to be broken. */
  readonly caught: readonly Invariant[];
  /** What is behind the protection and would hide its lack: taken away from the tables, and put back. */
  readonly behind?: { readonly remove: string; readonly restore: string };
}

const unconditional: Mutant = {
  service: "inventory",
  edits: [{ file: "reservationStore.ts", from: `"AND on_hand - held >= quantity"`, to: `""` }],
};

const mutations: readonly Mutation[] = [
  {
    removed: "the idempotency key of an order",
    mutant: {
      service: "orders",
      edits: [
        {
          file: "routes.ts",
          from: `const key = request.headers["idempotency-key"];`,
          to: "const key = `${request.headers['idempotency-key']}-${crypto.randomUUID()}`;",
        },
      ],
    },
    scenario: repeatedOrders,
    caught: ["replay", "reuse", "once"],
  },
  {
    removed: "the second look at an order's key, where it would be refused",
    mutant: {
      service: "orders",
      edits: [
        {
          file: "store.ts",
          from: "if (earlier !== undefined) return earlier;",
          to: "void earlier;",
        },
      ],
    },
    scenario: lastOne,
    caught: ["replay"],
  },
  {
    removed: "the lease of an order",
    mutant: {
      service: "orders",
      edits: [
        {
          file: "sagaStore.ts",
          from: "UPDATE sagas SET lease = $2, due_at = now() + $3 * interval '1 millisecond'",
          to: "UPDATE sagas SET lease = $2, due_at = now() + 0 * $3 * interval '1 millisecond'",
        },
      ],
    },
    scenario: slowSteps,
    caught: ["lease"],
  },
  {
    // The table's own CHECK is behind it: nothing is oversold, but whoever comes too late is never told.
    removed: "the condition of the stock's update",
    mutant: unconditional,
    scenario: scarceStock,
    caught: ["ends", "errors"],
  },
  {
    removed: "the condition of the stock's update, and the tables' CHECKs behind it",
    mutant: unconditional,
    scenario: scarceStock,
    caught: ["stock"],
    behind: {
      remove: `ALTER TABLE products DROP CONSTRAINT products_held_are_there, DROP CONSTRAINT products_on_hand_check`,
      // First there is as much as has been promised: an order that hasn't ended yet could neither take nor give back anything.
      restore: `UPDATE products SET held = greatest(held, 0), on_hand = greatest(on_hand, held, 0);
        ALTER TABLE products
        ADD CONSTRAINT products_held_are_there CHECK (held BETWEEN 0 AND on_hand),
        ADD CONSTRAINT products_on_hand_check CHECK (on_hand >= 0)`,
    },
  },
  {
    removed: "the tombstone of a reservation",
    mutant: {
      service: "inventory",
      edits: [
        {
          file: "reservationStore.ts",
          from: `\`UPDATE reservations SET status = 'cancelled', lines = '[]', expires_at = NULL, updated_at = now()
         WHERE id = $1\``,
          to: `"DELETE FROM reservations WHERE id = $1"`,
        },
        {
          file: "reservationStore.ts",
          from: `"INSERT INTO reservations (id, status, lines) VALUES ($1, 'cancelled', '[]') ON CONFLICT DO NOTHING RETURNING id"`,
          to: `"SELECT $1::uuid WHERE NOT EXISTS (SELECT FROM reservations WHERE id = $1)"`,
        },
      ],
    },
    scenario: lateReservations,
    caught: ["released", "tombstone"],
  },
  {
    removed: "the tombstone of a payment",
    mutant: {
      service: "billing",
      edits: [{ file: "payments.ts", from: "await leaveTombstone(transaction, id);", to: "" }],
    },
    scenario: lateAuthorisation,
    caught: ["released", "tombstone"],
  },
];

describe("each protection, by what breaks without it", function () {
  this.timeout(300_000);

  before("start it", () => backEnd());

  for (const { removed, mutant, scenario, caught, behind } of mutations) {
    it(`${removed}: ${caught.join(", ")}`, async () => {
      const folder = makeMutant(mutant);
      const running = await backEnd();
      await running.recover();
      await running.replace(mutant.service, folder);
      const database = running.database(mutant.service);
      if (behind !== undefined) await database.query(behind.remove);
      try {
        const findings = await finishRound(await scenario(), 6);
        for (const invariant of caught) {
          assert.ok(
            findings.violatedInvariants.includes(invariant),
            `${invariant} was to be broken, and it was ${findings.violatedInvariants.join(", ") || "nothing"}:\n${String(findings)}`,
          );
        }
        console.log(`        caught by: ${findings.violatedInvariants.join(", ")}`);
      } finally {
        await running.recover();
        await running.replace(mutant.service, undefined);
        if (behind !== undefined) await database.query(behind.restore);
        removeMutant(folder);
      }
    });
  }

  it("and with all of them back, the store is whole", async () => {
    const round = await beginRound([10]);
    for (let n = 0; n < 5; n++) {
      void round.shopClient.place({
        key: round.key(n),
        lines: [{ sku: round.sku(0), quantity: 3 }],
        token: "tok_ok",
      });
    }
    assert.equal(String(await finishRound(round)), "");
  });
});
