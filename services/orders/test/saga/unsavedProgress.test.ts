import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { until } from "@store/kit/testing";
import type { BackEnd } from "../support/backEnd.ts";
import type { Handling, Step } from "../support/faultProxy.ts";
import { confirmed } from "../support/outcomes.ts";
import { sharedBackEnd } from "../support/sharedBackEnd.ts";

describe("an order whose progress can't be stored", () => {
  let backEnd: BackEnd;

  before(async () => {
    backEnd = await sharedBackEnd();
    await backEnd.useReplicas(1, { SAGA_LEASE_SECONDS: "3600" });
  });
  afterEach(() => backEnd.resetFaults());

  afterEach(() => acceptChanges());

  /** Makes PostgreSQL refuse a change of the sagas with an error code. */
  const refuseChange = (change: string, code: string) =>
    backEnd.database.query(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'refused by the test' USING ERRCODE = '${code}'; END $$;
      CREATE TRIGGER refuse BEFORE ${change} EXECUTE FUNCTION refuse()`);
  const acceptChanges = () => backEnd.database.query("DROP FUNCTION IF EXISTS refuse CASCADE");
  const commitSaved = "UPDATE ON sagas FOR EACH ROW WHEN (NEW.step = 'commit')";

  const cases: [string, Step, Handling, string][] = [
    ["a step", "authorise", "forward", commitSaved],
    [
      "a failed attempt",
      "commit",
      { status: 503 },
      "UPDATE ON sagas FOR EACH ROW WHEN (NEW.lease IS NULL)",
    ],
    ["its end", "ship", "forward", "DELETE ON sagas FOR EACH ROW"],
  ];
  // admin_shutdown and query_canceled.
  for (const code of ["57P01", "57014"]) {
    for (const [what, step, handling, change] of cases) {
      it(`has ${what} stored as soon as possible after error ${code}, however long the lease is`, async () => {
        let refused: Promise<unknown> | undefined;
        backEnd.onStep(step, async () => {
          if (refused !== undefined) return "forward";
          await (refused = refuseChange(change, code));
          return handling;
        });
        const order = await backEnd.place();
        await until("the change is refused", () => refused !== undefined);
        await delay(400);
        assert.equal((await backEnd.readOrder(order)).status, "pending");
        await acceptChanges();
        await backEnd.assertEndsAs(order, confirmed);
      });
    }
  }

  it("isn't stored by a worker that has lost its lease", async () => {
    let refused = false;
    backEnd.onStep("authorise", async (): Promise<Handling> => {
      await refuseChange(commitSaved, "57014");
      refused = true;
      return "forward";
    });
    const order = await backEnd.place();
    await until("the change is refused", () => refused);
    await backEnd.firstReplica.waitForLog(
      "the write has failed",
      ({ requestId, msg }) => requestId === order.requestId && /Failed to read or write/.test(msg),
    );
    await backEnd.database.query("UPDATE sagas SET lease = gen_random_uuid() WHERE order_id = $1", [
      order.id,
    ]);
    await acceptChanges();
    await backEnd.firstReplica.waitForLog(
      "the worker has noticed the lost lease",
      ({ requestId, msg }) => requestId === order.requestId && /lease has expired/.test(msg),
    );
    assert.equal((await backEnd.sagaOf(order))?.step, "reserve");
    assert.deepEqual(backEnd.stepsOf(order), ["validate", "reserve", "authorise"]);
  });

  it("stores an answer with characters that PostgreSQL can't store", async () => {
    backEnd.onStep("reserve", () => ({ status: 400, detail: "no\0thing" }));
    const order = await backEnd.place();
    await backEnd.waitForStatus(order, "needs_attention");
    // Later tests expect that no order needs attention.
    backEnd.resetFaults();
    await backEnd.retry(order.id);
    await backEnd.waitForStatus(order, "confirmed");
  });

  it("makes no further call while its lease can't be renewed, and continues afterwards", async () => {
    await backEnd.useReplicas(1, { SAGA_LEASE_SECONDS: "3" });
    backEnd.onStep("validate", async (): Promise<Handling> => {
      await refuseChange("UPDATE ON sagas FOR EACH ROW WHEN (NEW.lease IS NOT NULL)", "57014");
      // Less than a third of the lease is left after it.
      await delay(2_200);
      return "forward";
    });
    const order = await backEnd.place();
    await backEnd.firstReplica.waitForLog(
      "the worker has given up the order",
      ({ requestId, msg }) => requestId === order.requestId && /lease has expired/.test(msg),
    );
    assert.deepEqual(backEnd.stepsOf(order), ["validate"]);
    backEnd.resetFaults();
    await acceptChanges();
    await backEnd.assertEndsAs(order, confirmed);
  });
});
