import assert from "node:assert/strict";
import Stripe from "stripe";
import { StripeEmulator } from "../support/stripeEmulator.ts";

describe("the emulator of Stripe", () => {
  const emulator = new StripeEmulator();
  let client: Stripe;

  before(async () => {
    const { hostname, port } = new URL(await emulator.start());
    client = new Stripe(StripeEmulator.KEY, {
      ...{ host: hostname, port, protocol: "http", maxNetworkRetries: 0, telemetry: false },
    });
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
});
