import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { until } from "@store/kit/testing";
import type { Fate } from "./support/proxy.ts";
import { customer, newSku, World } from "./support/world.ts";

describe("a repeated order request", function () {
  this.timeout(60_000);
  let world: World;
  const key = () => `replay-${randomUUID()}`;

  before(async () => {
    world = await World.create();
    await world.startReplicas(2);
  });
  after(() => world.dispose());
  afterEach(() => world.calm());

  interface Asked {
    readonly key: string;
    readonly sku: string;
    readonly replica?: number;
    readonly requestId?: string;
    readonly name?: string;
  }
  /** Orders one, and gives the answer without what tells one request from another. */
  const post = async ({ key, sku, replica = 0, requestId = randomUUID(), name }: Asked) => {
    const response = await world.replicas[replica]?.fetch("/api/orders", {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "idempotency-key": key,
        "x-request-id": requestId,
      },
      body: JSON.stringify({
        customer: { ...customer, ...(name === undefined ? {} : { name }) },
        items: [{ sku, quantity: 1 }],
        payment: { token: "tok_ok" },
      }),
    });
    assert.ok(response);
    const text = await response.text();
    const { status } = response;
    return {
      status,
      location: response.headers.get("location"),
      text: text.replace(requestId, ""),
    };
  };
  const ordersOf = async (key: string) =>
    (
      await world.database.query<{ id: string; status: string }>(
        "SELECT id, status FROM orders WHERE idempotency_key = $1",
        [key],
      )
    ).map(({ id, status }) => ({ id, status }));

  /** Checks that `count` statements wait for a lock. */
  const waiting = async (what: "transactionid" | "advisory", count: number) => {
    const found = await world.database.query(
      `SELECT FROM pg_stat_activity
       WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event = $1`,
      [what],
    );
    return found.length === count;
  };

  /** Holds the query for the prices of one request. */
  const holdPrices = (requestId: string) => {
    let go: (fate: Fate) => void = () => undefined;
    const held = new Promise<Fate>((resolve) => (go = resolve));
    const { inventory } = world.proxies;
    inventory.fate = (call) => (call.requestId === requestId ? held : "forward");
    const asked = until("its prices are asked for", () =>
      inventory.calls.some((call) => call.requestId === requestId),
    );
    return { asked, go };
  };

  const fates: [string, Fate][] = [
    ["no items left", "forward"],
    ["inventory failing", { status: 500 }],
  ];
  for (const [what, fate] of fates) {
    it(`gets the order, also if its own pricing found ${what}`, async () => {
      const [one, sku, requestId] = [key(), newSku(), randomUUID()];
      await world.stock(sku, 1);
      const { asked, go } = holdPrices(requestId);
      const slow = post({ key: one, sku, requestId });
      await asked;
      const fast = await post({ key: one, sku, replica: 1 });
      assert.equal(fast.status, 202, fast.text);
      await until("the last one is its own", async () =>
        (await ordersOf(one)).some(({ status }) => status === "confirmed"),
      );
      go(fate);
      assert.deepEqual(await slow, fast);
      assert.equal((await ordersOf(one)).length, 1);
    });
  }

  it("stays refused, also if a concurrent request was about to be accepted", async () => {
    const [one, sku] = [key(), newSku()];
    await world.stock(sku, 0);
    // Both come to where only one of them goes on: first the one that is to be refused, then the one that is to be taken.
    const other = await world.database.connect();
    let early: ReturnType<typeof post>;
    let late: ReturnType<typeof post>;
    try {
      await other.query("BEGIN");
      await other.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [one]);
      early = post({ key: one, sku });
      await until("it is being refused", () => waiting("advisory", 1));
      await world.stock(sku, 1);
      late = post({ key: one, sku, replica: 1 });
      await until("it is being kept", () => waiting("advisory", 2));
    } finally {
      await other.end();
    }
    const refused = await early;
    assert.equal(refused.status, 422, refused.text);
    assert.deepEqual(await late, refused);
    assert.deepEqual(await post({ key: one, sku }), refused);
    assert.deepEqual(await ordersOf(one), []);
    // Nothing was ordered under it: for something else it is as good as new, and so is another one for the same.
    assert.equal((await post({ key: one, sku, name: "Grace Hopper" })).status, 202);
    assert.equal((await ordersOf(one)).length, 1);
  });

  it("gets the order's response if it is refused while the order is being stored", async () => {
    const [one, sku] = [key(), newSku()];
    await world.stock(sku, 1);
    const other = await world.database.connect();
    let fast: ReturnType<typeof post>;
    let slow: ReturnType<typeof post>;
    try {
      // An order under the same key that is going to be taken back: until then, nobody's can be kept.
      await other.query("BEGIN");
      await other.query(
        `INSERT INTO orders (id, idempotency_key, request_hash, response, customer, payment_token, total_amount, currency)
         VALUES ($1, $2, '', '{}', '{}', 'tok_ok', 100, 'AUD')`,
        [randomUUID(), one],
      );
      fast = post({ key: one, sku });
      await until("the one is being kept", () => waiting("transactionid", 1));
      await world.stock(sku, 0);
      slow = post({ key: one, sku, replica: 1 });
      await until("the other one is being refused", () => waiting("advisory", 1));
    } finally {
      await other.query("ROLLBACK");
      await other.end();
    }
    const taken = await fast;
    assert.equal(taken.status, 202, taken.text);
    assert.deepEqual(await slow, taken);
  });

  it("is remembered as refused for a month", async () => {
    const sku = newSku();
    const refuse = async (one: string) => {
      assert.equal((await post({ key: one, sku })).status, 422);
      return one;
    };
    const [old, young] = [await refuse(key()), await refuse(key())];
    await world.database.query(
      "UPDATE refusals SET refused_at = now() - interval '1 day' * $2 WHERE idempotency_key = $1",
      [old, 31],
    );
    await refuse(key());
    const kept = await world.database.query<{ idempotency_key: string }>(
      "SELECT idempotency_key FROM refusals WHERE idempotency_key = ANY($1)",
      [[old, young]],
    );
    assert.deepEqual(
      kept.map((row) => row.idempotency_key),
      [young],
    );
  });
});
