import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createDatabase,
  createStaff,
  StartupError,
  startService,
  until,
  flushedLogs,
} from "@store/kit/testing";
import Stripe from "stripe";
import { Billing, charge, outcome } from "./support/billing.ts";
import { StripeEmulator, type Fault, type Operation } from "./support/stripeEmulator.ts";

const CARD = "pm_card_visa";

// Billing uses Stripe's real package against an emulator of Stripe's API.
describe("billing with Stripe", function () {
  this.timeout(60_000);
  let folder: string;
  let keyFile: string;
  const writeKey = (key: string) => {
    writeFileSync(keyFile, `${key}\n`, { mode: 0o600 });
  };
  let stripe: StripeEmulator;
  let url: string;
  let billing: Billing;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "store-test-"));
    keyFile = join(folder, "STRIPE_SECRET_KEY");
    writeKey(StripeEmulator.KEY);
    stripe = new StripeEmulator();
    url = await stripe.start();
    billing = await Billing.start({
      PAYMENT_PROVIDER: "stripe",
      STRIPE_SECRET_KEY_FILE: keyFile,
      STRIPE_API_URL: url,
      STRIPE_TIMEOUT_MS: "1500",
      PAYMENT_LEASE_SECONDS: "5",
      REFUND_POLL_MS: "100",
      LOG_LEVEL: "trace",
    });
  });
  after(async () => {
    await billing.stop();
    await stripe.stop();
    rmSync(folder, { recursive: true });
  });

  it("authorises, captures and refunds once each", async () => {
    for (const token of [CARD, "ctoken_visa"]) {
      const { id, request } = await billing.createPayment(charge(token));
      for (let i = 0; i < 2; i++)
        assert.deepEqual((await billing.authorise(id, request)).body, { id, status: "authorised" });
      for (let i = 0; i < 2; i++) assert.equal(outcome(await billing.capture(id)), "captured");
      assert.equal(outcome(await billing.authorise(id, request)), "captured");
      assert.equal(outcome(await billing.void(id)), "payment-captured");
      const part = { amount: { amount: 900, currency: "AUD" } };
      assert.equal(outcome(await billing.refund(id, part)), "succeeded");
      assert.equal(outcome(await billing.refund(id, {})), "succeeded");
      assert.equal(outcome(await billing.payment(id)), "refunded");

      assert.deepEqual(stripe.ledger(id), [
        ...["authorised 8900", "captured 8900", "refunded 900", "refunded 8000"],
      ]);
      const [intent, ...more] = intentsOf(id);
      assert.deepEqual(more, []);
      assert.deepEqual(
        [intent?.currency, intent?.metadata],
        ["aud", { payment: id, order: request.order }],
      );
    }
  });

  it("calls Stripe once for simultaneous requests of one payment", async () => {
    for (let i = 0; i < 3; i++) {
      const id = randomUUID();
      const request = charge(CARD);
      const before = stripe.requests.length;
      await Promise.all(Array.from({ length: 6 }, () => billing.authorise(id, request)));
      assert.equal(
        outcome(await billing.retryUntilKnown(() => billing.authorise(id, request))),
        "authorised",
      );
      assert.deepEqual(stripe.requests.slice(before), ["create", "confirm"]);
    }
  });

  const declines: readonly [token: string, reason: string][] = [
    ["pm_card_visa_chargeDeclined", "declined"],
    ["pm_card_visa_chargeDeclinedLostCard", "declined"],
    ["pm_card_visa_chargeDeclinedInsufficientFunds", "insufficient_funds"],
    ["pm_card_chargeDeclinedExpiredCard", "expired_card"],
    ["pm_card_authenticationRequired", "authentication_required"],
    ["pm_nobody_knows", "invalid_token"],
    ["ctoken_unknown", "invalid_token"],
    ["anything at all", "invalid_token"],
  ];
  for (const [token, reason] of declines) {
    it(`declines ${token} permanently with reason ${reason}`, async () => {
      const { id, request } = await billing.createPayment(charge(token));
      const requests = stripe.requests.length;
      const answer = await billing.authorise(id, request);
      assert.deepEqual(answer.body, { id, status: "declined", reason });
      assert.equal(outcome(await billing.capture(id)), "payment-declined");
      assert.equal(outcome(await billing.void(id)), "declined");
      assert.equal(stripe.requests.length, requests, "Stripe gets no further request");
      assert.deepEqual(stripe.ledger(id), []);
    });
  }

  it("declines amounts and currencies that Stripe doesn't support", async () => {
    const amounts: readonly [amount: number, currency: string, reason: string][] = [
      [49, "AUD", "amount_too_small"],
      [100_000_000, "AUD", "amount_too_large"],
      [8_900, "XXX", "invalid_currency"],
    ];
    for (const [amount, currency, reason] of amounts) {
      const id = randomUUID();
      const answer = await billing.authorise(id, { ...charge(CARD), amount: { amount, currency } });
      assert.deepEqual(answer.body, { id, status: "declined", reason });
    }
  });

  const faults: readonly Fault[] = ["before", "after", "silent", "error", "busy"];
  const steps: Readonly<Record<"authorise" | "capture" | "void", readonly Operation[]>> = {
    authorise: ["create", "confirm"],
    capture: ["capture"],
    void: ["cancel"],
  };
  for (const step of ["authorise", "capture", "void"] as const) {
    for (const operation of steps[step]) {
      for (const fault of faults) {
        it(`finds out the outcome of ${step} after fault "${fault}" in "${operation}"`, async () => {
          const id = randomUUID();
          const request = charge(CARD);
          const began = keyWindow();
          const call = () =>
            step === "authorise" ? billing.authorise(id, request) : billing[step](id);
          if (step !== "authorise") await billing.authorise(id, request);
          stripe.fail(operation, fault);

          const first = await call();
          assert.deepEqual([first.status, first.headers.get("retry-after")], [503, "1"]);
          // Stripe repeats its own failure for the same key for a day.
          if (operation === "create" && fault === "error") stripe.forgetKeys();
          const answer = await billing.retryUntilKnown(call);

          const done = { authorise: "authorised", capture: "captured", void: "voided" }[step];
          assert.equal(outcome(answer), done);
          assert.deepEqual(stripe.ledger(id), [
            "authorised 8900",
            ...{ authorise: [], capture: ["captured 8900"], void: ["canceled"] }[step],
          ]);
          // A lost PaymentIntent stays unconfirmed if the retry used the next time window's key.
          const lost = intentsOf(id).length - 1;
          assert.ok(lost >= 0 && lost <= keyWindow() - began, `${lost} superfluous PaymentIntents`);
        });
      }
    }
  }

  for (const operation of ["list", "refund"] as const) {
    for (const fault of faults) {
      it(`refunds once after fault "${fault}" in "${operation}"`, async () => {
        const { id } = await billing.createPayment(charge(CARD), "capture");
        stripe.fail(operation, fault);
        const { status, body } = await billing.refund(id, {});
        assert.deepEqual([status, body["status"]], [201, "pending"]);
        // Simulates the next day.
        stripe.forgetKeys();
        await until("the payment is refunded", async () => {
          return outcome(await billing.payment(id)) === "refunded";
        });
        assert.deepEqual(stripe.ledger(id).slice(2), ["refunded 8900"]);
      });
    }
  }

  it("refunds once if Stripe's list doesn't contain the refund yet", async () => {
    const { id } = await billing.createPayment(charge(CARD), "capture");
    stripe.fail("refund", "after");
    const { body } = await billing.refund(id, { amount: { amount: 900, currency: "AUD" } });
    assert.equal(body["status"], "pending");
    stripe.lagBehind();
    await until("the refund has succeeded", async () => {
      const refunds = (await billing.payment(id)).body["refunds"] as readonly { status: string }[];
      return refunds.every(({ status }) => status === "succeeded");
    });
    assert.deepEqual(stripe.ledger(id).slice(2), ["refunded 900"]);
  });

  it("finds its refund on a later page of the list", async () => {
    const { id } = await billing.createPayment(charge(CARD), "capture");
    stripe.pageSize = 2;
    stripe.fail("refund", "after");
    const part = { amount: { amount: 10, currency: "AUD" } };
    await billing.refund(id, part);
    for (let i = 0; i < 5; i++) await billing.refund(id, part);
    stripe.forgetKeys();
    await until("all refunds have succeeded", async () => {
      const refunds = (await billing.payment(id)).body["refunds"] as readonly { status: string }[];
      return refunds.every(({ status }) => status === "succeeded");
    });
    assert.equal(stripe.ledger(id).length, 2 + 6);
  });

  it("marks a refund as failed that Stripe refuses permanently", async () => {
    const { id } = await billing.createPayment(charge(CARD), "capture");
    const intent = intentsOf(id)[0]?.id ?? "";
    // A refund made manually at Stripe.
    stripe.refunds.push({
      ...{ id: "re_by_hand", object: "refund", payment_intent: intent, amount: 8_000 },
      ...{ status: "succeeded", metadata: {} },
    });
    const { body } = await billing.refund(id, {});
    assert.deepEqual([body["status"], body["failure"]], ["failed", "amount_too_large"]);
    assert.deepEqual((await billing.payment(id)).body["refunded"], { amount: 0, currency: "AUD" });
  });

  it("finds out the outcome of an authorisation a day later", async () => {
    for (const [token, status, ledger] of [
      [CARD, "authorised", ["authorised 8900"]],
      ["pm_card_visa_chargeDeclinedInsufficientFunds", "declined", []],
    ] as const) {
      const id = randomUUID();
      const request = charge(token);
      stripe.fail("confirm", "after");
      assert.equal((await billing.authorise(id, request)).status, 503);
      stripe.forgetKeys();
      assert.equal(outcome(await billing.authorise(id, request)), status);
      assert.deepEqual(stripe.ledger(id), ledger);
      assert.equal(intentsOf(id).length, 1);
    }
  });

  it("moves no money with a PaymentIntent whose id got lost", async () => {
    const id = randomUUID();
    const request = charge(CARD);
    stripe.fail("create", "after");
    await billing.authorise(id, request);
    stripe.forgetKeys();
    await billing.authorise(id, request);
    await billing.capture(id);
    assert.deepEqual(stripe.ledger(id), ["authorised 8900", "captured 8900"]);
    assert.deepEqual(
      intentsOf(id).map(({ status }) => status),
      ["requires_payment_method", "succeeded"],
    );
  });

  it("voids a payment with an unknown outcome and refuses it afterwards", async () => {
    for (const [operation, fault] of [
      ["create", "before"],
      ["create", "after"],
      ["confirm", "before"],
      ["confirm", "after"],
    ] as const) {
      const id = randomUUID();
      const request = charge(CARD);
      stripe.fail(operation, fault);
      assert.equal((await billing.authorise(id, request)).status, 503);
      assert.equal(outcome(await billing.void(id)), "voided");
      assert.equal(outcome(await billing.authorise(id, request)), "payment-voided");
      assert.ok(!intentsOf(id).some(({ status }) => status === "requires_capture"));
    }
  });

  it("leaves nothing held after a race of an authorisation and a void", async () => {
    for (let i = 0; i < 10; i++) {
      const id = randomUUID();
      await Promise.all([billing.authorise(id, charge(CARD)), billing.void(id)]);
      assert.equal(outcome(await billing.retryUntilKnown(() => billing.void(id))), "voided");
      assert.ok(["", "authorised 8900,canceled"].includes(stripe.ledger(id).join()));
    }
  });

  it("reports a payment as voided that Stripe cancelled after a week", async () => {
    const { id, request } = await billing.createPayment(charge(CARD));
    stripe.lapse(id);
    assert.equal(outcome(await billing.capture(id)), "payment-voided");
    assert.equal(outcome(await billing.payment(id)), "voided");
    assert.equal(outcome(await billing.authorise(id, request)), "payment-voided");
  });

  it("logs how to fix a rejected key and uses a new key without a restart", async () => {
    const id = randomUUID();
    const request = charge(CARD);
    writeKey("sk_test_revoked");
    try {
      assert.equal((await billing.authorise(id, request)).status, 503);
      const advice =
        /^The payment provider: Stripe rejected the secret key\..* STRIPE_SECRET_KEY_FILE/;
      await until("a replica logs how to fix the key", () =>
        billing.replicas.running.some(({ log }) => log.some(({ msg }) => advice.test(msg))),
      );
    } finally {
      writeKey(StripeEmulator.KEY);
    }
    assert.equal(outcome(await billing.authorise(id, request)), "authorised");
  });

  it("has metrics for unknown payments, pending refunds and the provider's answers", async () => {
    const metric = async (name: string) => {
      const texts = await Promise.all(
        billing.replicas.running.map(async (one) => (await one.fetch("/metrics")).text()),
      );
      // A gauge counts the whole service in each replica; a counter counts its own replica.
      const values = texts.map((text) =>
        Number(
          text
            .split("\n")
            .find((line) => line.startsWith(`${name} `))
            ?.split(" ")[1] ?? NaN,
        ),
      );
      return name.includes("_total{")
        ? values.reduce((sum, value) => sum + (Number.isNaN(value) ? 0 : value), 0)
        : Math.max(...values);
    };
    const unknown = 'billing_payments_unknown{provider="stripe"}';
    const pending = 'billing_refunds_pending{provider="stripe"}';
    const oldest = 'billing_refunds_pending_oldest_seconds{provider="stripe"}';
    const calls = (call: string, answer: string) =>
      `billing_provider_calls_total{provider="stripe",call="${call}",answer="${answer}"}`;
    await billing.replicas.database.query(
      "UPDATE payments SET status = 'voided' WHERE status = 'pending'",
    );
    await until("nothing is pending", async () => (await metric(pending)) === 0);
    assert.deepEqual([await metric(unknown), await metric(oldest)], [0, 0]);

    const { id } = await billing.createPayment(charge(CARD), "capture");
    const other = { id: randomUUID(), request: charge(CARD) };
    const before = {
      unknown: await metric(calls("authorise", "unknown")),
      authorised: await metric(calls("authorise", "authorised")),
      refunded: await metric(calls("refund", "succeeded")),
    };
    writeKey("sk_test_revoked");
    try {
      assert.equal((await billing.authorise(other.id, other.request)).status, 503);
      await billing.refund(id, {});
      assert.deepEqual([await metric(unknown), await metric(pending)], [1, 1]);
      assert.equal(await metric(calls("authorise", "unknown")), before.unknown + 1);
      await billing.replicas.database.query(
        "UPDATE refunds SET created_at = created_at - interval '1 hour' WHERE payment_id = $1",
        [id],
      );
      const seconds = await metric(oldest);
      assert.ok(seconds >= 3_600 && seconds < 3_700, `${seconds} s`);
    } finally {
      writeKey(StripeEmulator.KEY);
    }
    assert.equal(
      outcome(await billing.retryUntilKnown(() => billing.authorise(other.id, other.request))),
      "authorised",
    );
    await until("the payment is refunded", async () => (await metric(pending)) === 0);
    assert.deepEqual([await metric(unknown), await metric(oldest)], [0, 0]);
    assert.equal(await metric(calls("authorise", "authorised")), before.authorised + 1);
    assert.equal(await metric(calls("refund", "succeeded")), before.refunded + 1);
  });

  it("serves its other metrics while its tables are locked for longer than the statement timeout", async () => {
    const { database, running } = billing.replicas;
    const connection = await database.connect();
    let metrics: string | undefined;
    try {
      await connection.query("BEGIN; LOCK TABLE payments, refunds");
      metrics = await (await running[0]?.fetch("/metrics"))?.text();
    } finally {
      await connection.end();
    }
    assert.match(metrics ?? "", /^http_request_duration_seconds_count\{/m);
    assert.doesNotMatch(metrics ?? "", /^billing_(payments_unknown|refunds_pending)/m);
  });

  it("offers Stripe's test cards with a test key, and each leads to its announced outcome", async () => {
    const { provider, movesMoney, methods } = (await billing.methods()).body;
    assert.deepEqual([provider, movesMoney], ["stripe", false]);
    // The ids in https://docs.stripe.com/testing.
    assert.deepEqual(
      methods.map(({ token }) => token),
      [
        "pm_card_visa",
        "pm_card_visa_chargeDeclined",
        "pm_card_visa_chargeDeclinedInsufficientFunds",
        "pm_card_chargeDeclinedExpiredCard",
        "pm_card_authenticationRequired",
      ],
    );
    for (const { token, name, description, outcome: expected, reason } of methods) {
      assert.ok(name !== "" && description !== "");
      const { id, request } = await billing.createPayment(charge(token));
      const { body } = await billing.authorise(id, request);
      assert.deepEqual([body["status"], body["reason"]], [expected, reason], token);
    }
  });

  it("offers no payment methods with a live key: cards are entered into Stripe's own form", async () => {
    try {
      for (const key of ["sk_live_51", "rk_live_51", "something else"]) {
        writeKey(key);
        assert.deepEqual(
          (await billing.methods()).body,
          { provider: "stripe", movesMoney: true, methods: [] },
          key,
        );
      }
      writeKey("rk_test_51");
      assert.equal((await billing.methods()).body.methods.length, 5);
    } finally {
      writeKey(StripeEmulator.KEY);
    }
  });

  it("refuses to start without a readable key file", async () => {
    const { environment } = await createDatabase();
    const variables = { ...environment, ...createStaff().environment, PAYMENT_PROVIDER: "stripe" };
    for (const [file, problem] of [
      ["", /STRIPE_SECRET_KEY_FILE is missing/],
      [join(folder, "nothing"), /STRIPE_SECRET_KEY_FILE names a file that can't be read/],
    ] as const) {
      const start = startService("billing", { ...variables, STRIPE_SECRET_KEY_FILE: file });
      await assert.rejects(start, (error) => {
        assert.ok(error instanceof StartupError);
        assert.match(error.lines.join(), problem);
        assert.equal(error.lines.length, 1);
        return true;
      });
    }
  });

  it("logs no token and no key", async () => {
    const log = await flushedLogs(billing.replicas.running);
    assert.match(log, /The payment provider: Stripe: confirm: StripeAPIError/);
    for (const secret of ["pm_", "ctoken_", "sk_test_", "anything at all"])
      assert.ok(!log.includes(secret), secret);
  });

  describe("the emulator of Stripe", () => {
    let client: Stripe;

    before(() => {
      const { hostname, port } = new URL(url);
      client = new Stripe(StripeEmulator.KEY, {
        ...{ host: hostname, port, protocol: "http", maxNetworkRetries: 0, telemetry: false },
      });
    });

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

  function intentsOf(payment: string) {
    return [...stripe.intents.values()].filter(({ metadata }) => metadata["payment"] === payment);
  }

  /** Number of the ten-minute window in which a payment's idempotency key for Stripe stays the same (see ../src/providers/stripe.ts). */
  function keyWindow(): number {
    return Math.floor(Date.now() / 600_000);
  }
});
