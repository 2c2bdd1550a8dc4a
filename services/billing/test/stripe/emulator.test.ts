import assert from "node:assert/strict";
import Stripe from "stripe";
import { StripeEmulator } from "../support/stripeEmulator.ts";

describe("the emulator of Stripe", () => {
  const emulator = new StripeEmulator();
  let client: Stripe;
  let restrictedClient: Stripe;

  before(async () => {
    const { hostname, port } = new URL(await emulator.start());
    const connect = (key: string) =>
      new Stripe(key, {
        ...{ host: hostname, port, protocol: "http", maxNetworkRetries: 0, telemetry: false },
      });
    client = connect(StripeEmulator.KEY);
    restrictedClient = connect(StripeEmulator.KEY_WITHOUT_EVENTS);
  });
  after(() => emulator.stop());

  it("refuses unknown, invalid and missing parameters", async () => {
    const wrong: readonly [path: string, params: object, code: string, param: string][] = [
      ["/v1/payment_intents", { amount: 100 }, "parameter_missing", "currency"],
      [
        "/v1/payment_intents",
        { amount: 1.5, currency: "aud" },
        "parameter_invalid_integer",
        "amount",
      ],
      [
        "/v1/payment_intents",
        { amount: 100, currency: "aud", card: 4242 },
        "parameter_unknown",
        "card",
      ],
      ["/v1/refunds", { amount: 100 }, "parameter_missing", "payment_intent"],
    ];
    for (const [path, params, code, param] of wrong)
      await assert.rejects(client.rawRequest("POST", path, params), { code, param });
  });

  it("refuses another request with the same key and repeats its answer to the same request", async () => {
    const create = (amount: number) =>
      client.paymentIntents.create({ amount, currency: "aud" }, { idempotencyKey: "the same" });
    const { id } = await create(100);
    assert.equal((await create(100)).id, id);
    await assert.rejects(create(101), { rawType: "idempotency_error" });
  });

  it("refuses steps out of order", async () => {
    const { id } = await client.paymentIntents.create({ amount: 100, currency: "aud" });
    const unexpected = { code: "payment_intent_unexpected_state" };
    await assert.rejects(client.paymentIntents.capture(id), unexpected);
    await assert.rejects(client.refunds.create({ payment_intent: id }), unexpected);
    await client.paymentIntents.cancel(id);
    for (const step of ["confirm", "capture", "cancel"] as const)
      await assert.rejects(client.paymentIntents[step](id), unexpected);
  });

  describe("with events", () => {
    const types = ["charge.dispute.created", "charge.dispute.closed"];
    let ids: readonly string[];
    const list = async (params: Stripe.EventListParams) =>
      (await client.events.list(params)).data.map(({ id }) => ids.indexOf(id));

    before(() => {
      emulator.events.add("charge.dispute.created", { id: "too old" }, 31);
      ids = [3, 2, 1, 0].map((days) =>
        emulator.events.add(types[days % 2] ?? "", { id: `of ${days} days ago` }, days),
      );
      emulator.events.add("refund.created", { id: "another" });
    });

    it("lists those of the last 30 days and of the given types and times, newest first", async () => {
      assert.deepEqual(await list({ types }), [3, 2, 1, 0]);
      assert.deepEqual(await list({ type: "charge.dispute.closed" }), [2, 0]);
      const gte = Math.floor(Date.now() / 1_000) - 1.5 * 86_400;
      assert.deepEqual(await list({ types, created: { gte } }), [3, 2]);
    });

    it("pages through them in both directions", async () => {
      const [, second, third] = ids;
      assert.ok(second !== undefined && third !== undefined);
      assert.deepEqual(await list({ types, limit: 1, starting_after: third }), [1]);
      assert.deepEqual(await list({ types, limit: 1, ending_before: second }), [2]);
      const oldestFirst: number[] = [];
      for await (const { id } of client.events.list({ types, limit: 1, ending_before: second }))
        oldestFirst.push(ids.indexOf(id));
      assert.deepEqual(oldestFirst, [2, 3]);
    });

    it("refuses what Stripe refuses", async () => {
      const wrong: readonly (readonly [Stripe.EventListParams, string])[] = [
        [{ limit: 101 }, "limit"],
        [{ type: "refund.created", types }, "type"],
        [{ types: Array.from({ length: 21 }, () => "refund.created") }, "types"],
        [{ starting_after: "evt_unknown" }, "starting_after"],
      ];
      for (const [params, param] of wrong)
        await assert.rejects(client.events.list(params), { param }, param);
      await assert.rejects(restrictedClient.events.list({ types }), { statusCode: 403 });
    });
  });
});
