import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { until } from "@store/kit/testing";
import { customer, newSku, type BackEnd } from "../support/backEnd.ts";
import { undecidedHandling, type Handling } from "../support/faultProxy.ts";
import { sharedBackEnd } from "../support/sharedBackEnd.ts";

describe("a repeated order request", () => {
  let backEnd: BackEnd;
  const newKey = () => `replay-${randomUUID()}`;

  before(async () => {
    backEnd = await sharedBackEnd();
    await backEnd.useReplicas(2);
  });
  afterEach(() => backEnd.resetFaults());

  interface OrderFields {
    readonly key: string;
    readonly sku: string;
    readonly replica?: number;
    readonly requestId?: string;
    readonly name?: string;
    readonly quantity?: number;
  }
  /** Places an order. Returns the response without the request ID, so that the responses of repeated requests can be compared. */
  const post = async ({
    key,
    sku,
    replica = 0,
    requestId = randomUUID(),
    name,
    quantity = 1,
  }: OrderFields) => {
    const response = await backEnd.replicas[replica]?.fetch("/api/orders", {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "idempotency-key": key,
        "x-request-id": requestId,
      },
      body: JSON.stringify({
        customer: { ...customer, ...(name === undefined ? {} : { name }) },
        items: [{ sku, quantity }],
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
      await backEnd.database.query<{ id: string; status: string }>(
        "SELECT id, status FROM orders WHERE idempotency_key = $1",
        [key],
      )
    ).map(({ id, status }) => ({ id, status }));

  /** Returns whether `count` statements wait for a lock of this kind. */
  const areWaiting = async (kind: "transactionid" | "advisory", count: number) => {
    const found = await backEnd.database.query(
      `SELECT FROM pg_stat_activity
       WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event = $1`,
      [kind],
    );
    return found.length === count;
  };

  /** Holds the query for the prices of one request. */
  const holdPrices = (requestId: string) => {
    const { handling, decide } = undecidedHandling();
    const { inventory } = backEnd.proxies;
    inventory.handle = (call) => (call.requestId === requestId ? handling : "forward");
    const called = until("the prices are queried", () =>
      inventory.calls.some((call) => call.requestId === requestId),
    );
    return { called, decide };
  };

  const pricingFailures: [string, Handling][] = [
    ["no items left", "forward"],
    ["inventory failing", { status: 500 }],
  ];
  for (const [what, handling] of pricingFailures) {
    it(`gets the order, also if its own pricing found ${what}`, async () => {
      const [key, sku, requestId] = [newKey(), newSku(), randomUUID()];
      await backEnd.setStock(sku, 1);
      const { called, decide } = holdPrices(requestId);
      const slow = post({ key, sku, requestId });
      await called;
      const fast = await post({ key, sku, replica: 1 });
      assert.equal(fast.status, 202, fast.text);
      await until("the order that took the last item is confirmed", async () =>
        (await ordersOf(key)).some(({ status }) => status === "confirmed"),
      );
      decide(handling);
      assert.deepEqual(await slow, fast);
      assert.equal((await ordersOf(key)).length, 1);
    });
  }

  it("stays refused, also if a concurrent request was about to be accepted", async () => {
    const [key, sku] = [newKey(), newSku()];
    await backEnd.setStock(sku, 0);
    // Both requests wait for the lock of the key: first the one that will be refused, then the one that would be accepted.
    const other = await backEnd.database.connect();
    let early: ReturnType<typeof post>;
    let late: ReturnType<typeof post>;
    try {
      await other.query("BEGIN");
      await other.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [key]);
      early = post({ key, sku });
      await until("the refusal waits", () => areWaiting("advisory", 1));
      await backEnd.setStock(sku, 1);
      late = post({ key, sku, replica: 1 });
      await until("the order waits", () => areWaiting("advisory", 2));
    } finally {
      await other.end();
    }
    const refused = await early;
    assert.equal(refused.status, 422, refused.text);
    assert.deepEqual(await late, refused);
    assert.deepEqual(await post({ key, sku }), refused);
    assert.deepEqual(await ordersOf(key), []);
    // The key has no order, so another order can use it.
    assert.equal((await post({ key, sku, name: "Grace Hopper" })).status, 202);
    assert.equal((await ordersOf(key)).length, 1);
  });

  it("gets the order's response if it is refused while the order is being stored", async () => {
    const [key, sku] = [newKey(), newSku()];
    await backEnd.setStock(sku, 1);
    const other = await backEnd.database.connect();
    let fast: ReturnType<typeof post>;
    let slow: ReturnType<typeof post>;
    try {
      // An uncommitted order with the same key blocks both requests until its rollback.
      await other.query("BEGIN");
      await other.query(
        `INSERT INTO orders (id, idempotency_key, request_hash, response, customer, payment_token, total_amount, currency)
         VALUES ($1, $2, '', '{}', '{}', 'tok_ok', 100, 'AUD')`,
        [randomUUID(), key],
      );
      fast = post({ key, sku });
      await until("the order waits", () => areWaiting("transactionid", 1));
      await backEnd.setStock(sku, 0);
      slow = post({ key, sku, replica: 1 });
      await until("the refusal waits", () => areWaiting("advisory", 1));
    } finally {
      await other.query("ROLLBACK");
      await other.end();
    }
    const accepted = await fast;
    assert.equal(accepted.status, 202, accepted.text);
    assert.deepEqual(await slow, accepted);
  });

  it("is placed after a refusal that was only about stock, once no copy of it can be on its way", async () => {
    const [key, sku] = [newKey(), newSku()];
    await backEnd.setStock(sku, 0);
    assert.equal((await post({ key, sku })).status, 422);
    await backEnd.setStock(sku, 1);
    assert.equal((await post({ key, sku })).status, 422);
    await backEnd.database.query(
      "UPDATE refusals SET refused_at = now() - interval '6 minutes' WHERE idempotency_key = $1",
      [key],
    );
    const accepted = await post({ key, sku });
    assert.equal(accepted.status, 202, accepted.text);
    assert.deepEqual(await post({ key, sku, replica: 1 }), accepted);
    assert.equal((await ordersOf(key)).length, 1);
  });

  it("isn't kept for a month after a refusal that was only about stock, whose text is long", async () => {
    const sku = newSku();
    await backEnd.setStock(sku, 0);
    const refuse = async () => {
      const key = newKey();
      assert.equal((await post({ key, sku })).status, 422);
      return key;
    };
    const [old, young] = [await refuse(), await refuse()];
    await backEnd.database.query(
      "UPDATE refusals SET refused_at = now() - interval '6 minutes' WHERE idempotency_key = $1",
      [old],
    );
    // Each refusal deletes two.
    await refuse();
    await refuse();
    assert.deepEqual(await refusalsOf(old, young), [young]);
  });

  it("stays refused, also if another request has become an order with the key since then", async () => {
    const [key, sku] = [newKey(), newSku()];
    await backEnd.setStock(sku, 1_000);
    const refused = await post({ key, sku, quantity: 101 });
    assert.equal(refused.status, 422);
    const placed = await post({ key, sku });
    assert.equal(placed.status, 202, placed.text);
    assert.deepEqual(await post({ key, sku, quantity: 101 }), refused);
    assert.deepEqual(await post({ key, sku, replica: 1 }), placed);
    assert.match((await post({ key, sku, quantity: 2 })).text, /idempotency-key-reused/);
  });

  it("stays refused for a month if it wasn't only about stock", async () => {
    const sku = newSku();
    await backEnd.setStock(sku, 1_000);
    const refuse = async () => {
      const key = newKey();
      assert.equal((await post({ key, sku, quantity: 101 })).status, 422);
      return key;
    };
    const [old, young] = [await refuse(), await refuse()];
    await backEnd.database.query(
      "UPDATE refusals SET refused_at = now() - interval '1 day' * $2 WHERE idempotency_key = $1",
      [old, 31],
    );
    await refuse();
    await backEnd.database.query(
      "UPDATE refusals SET refused_at = now() - interval '29 days' WHERE idempotency_key = $1",
      [young],
    );
    assert.equal((await post({ key: young, sku, quantity: 101 })).status, 422);
    assert.deepEqual(await refusalsOf(old, young), [young]);
  });

  /** Returns those of the keys with a stored refusal. */
  async function refusalsOf(...keys: string[]): Promise<string[]> {
    const stored = await backEnd.database.query<{ idempotency_key: string }>(
      "SELECT idempotency_key FROM refusals WHERE idempotency_key = ANY($1)",
      [keys],
    );
    return stored.map((row) => row.idempotency_key);
  }
});
