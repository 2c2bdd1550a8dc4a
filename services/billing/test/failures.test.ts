import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { until, flushedLogs } from "@store/kit/testing";
import { Billing, charge, outcome } from "./support/billing.ts";

describe("billing after failures", () => {
  describe("with a provider that fails at random", () => {
    let billing: Billing;

    before(async () => {
      billing = await Billing.start({ SIMULATED_FLAKY_RATE: "0.6" });
    });
    after(() => billing.stop());

    it("captures each payment once, whether the provider's answers arrive or not", async () => {
      const payments = Array.from({ length: 30 }, () => ({
        id: randomUUID(),
        request: charge("tok_flaky"),
      }));
      await Promise.all(
        payments.map(async ({ id, request }) => {
          const authorised = await billing.retryUntilKnown(() => billing.authorise(id, request));
          assert.equal(outcome(authorised), "authorised");
          const captured = await billing.retryUntilKnown(() => billing.capture(id));
          assert.equal(outcome(captured), "captured");
        }),
      );
      for (const { request } of payments)
        assert.deepEqual(await billing.ledger(request.order), ["authorised 8900", "captured 8900"]);
      for (const effect of ["not carried out", "carried out"]) {
        const line = `The payment provider: tok_flaky: no answer, ${effect}`;
        await until(`the log says "${line}"`, () =>
          billing.replicas.running.some(({ log }) => log.some(({ msg }) => msg === line)),
        );
      }
    });

    it("voids a payment once whose authorisation took effect without an answer", async () => {
      for (let i = 0; i < 10; i++) {
        const id = randomUUID();
        const request = charge("tok_flaky");
        await billing.authorise(id, request);
        assert.equal(outcome(await billing.retryUntilKnown(() => billing.void(id))), "voided");
        assert.equal(outcome(await billing.authorise(id, request)), "payment-voided");
        const ledger = (await billing.ledger(request.order)).join();
        assert.ok(["", "authorised 8900,voided 8900"].includes(ledger), ledger);
      }
    });
  });

  it("fails at the rate of SIMULATED_FLAKY_RATE with tok_flaky only", async () => {
    const billing = await Billing.start({ SIMULATED_FLAKY_RATE: "1" });
    try {
      for (let i = 0; i < 5; i++) {
        const answer = await billing.authorise(randomUUID(), charge("tok_flaky"));
        assert.deepEqual([answer.status, answer.headers.get("retry-after")], [503, "1"]);
      }
      const { id } = await billing.createPayment(charge("tok_ok"));
      assert.equal(outcome(await billing.capture(id)), "captured");
    } finally {
      await billing.stop();
    }
  });

  describe("when a process dies", () => {
    let billing: Billing;

    before(async () => {
      billing = await Billing.start({ SIMULATED_SLOW_MS: "5000", PAYMENT_LEASE_SECONDS: "600" });
    });
    after(() => billing.stop());

    it("finishes a payment in another replica if the process died before the provider did anything", async () => {
      const [dying] = billing.replicas.running;
      const id = randomUUID();
      const request = charge("tok_slow");
      const lost = assert.rejects(billing.authorise(id, request, dying));
      await until("the payment is stored", async () => (await billing.payment(id)).status === 200);
      await billing.replicas.kill(dying ?? assert.fail());
      await lost;

      assert.equal((await billing.authorise(id, request)).status, 503, "the lease is still held");
      assert.equal(outcome(await billing.payment(id)), "pending");
      await billing.expireLease(id);
      const answer = await billing.authorise(id, request);
      assert.deepEqual(answer.body, { id, status: "authorised" });
      assert.deepEqual(await billing.ledger(request.order), ["authorised 8900"]);
      await billing.replicas.add();
    });

    for (const step of ["authorise", "capture", "void"] as const) {
      it(`finds out the outcome of ${step} if the process died after the provider carried it out and before it was stored`, async () => {
        const id = randomUUID();
        const request = charge("tok_ok");
        const call = () =>
          step === "authorise" ? billing.authorise(id, request) : billing[step](id);
        if (step !== "authorise") await billing.authorise(id, request);
        const done = step === "authorise" ? 1 : 2;
        const [dying] = billing.replicas.running;

        // The trigger blocks the replica when it stores the outcome; the replica is killed there.
        const blocker = await billing.replicas.database.connect();
        await blocker.query(
          `CREATE FUNCTION wait_here() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN IF NEW.status <> OLD.status THEN PERFORM pg_advisory_xact_lock(4711); END IF; RETURN NEW; END $$`,
        );
        await blocker.query(
          "CREATE TRIGGER wait_here BEFORE UPDATE ON payments FOR EACH ROW EXECUTE FUNCTION wait_here()",
        );
        await blocker.query("SELECT pg_advisory_lock(4711)");
        try {
          const lost = assert.rejects(
            step === "authorise"
              ? billing.authorise(id, request, dying)
              : billing.replicas.send(
                  "POST",
                  `/internal/payments/${id}/${step}`,
                  undefined,
                  {},
                  dying,
                ),
          );
          await until("the provider has carried it out", async () => {
            return (await billing.ledger(request.order)).length === done;
          });
          await billing.replicas.kill(dying ?? assert.fail());
          await lost;
        } finally {
          await blocker.query(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted AND locktype = 'advisory' AND objid = 4711",
          );
          await blocker.query("DROP FUNCTION wait_here CASCADE");
          await blocker.end();
        }

        assert.equal((await call()).status, 503);
        await billing.expireLease(id);
        const answer = await billing.retryUntilKnown(call);
        assert.equal(
          outcome(answer),
          { authorise: "authorised", capture: "captured", void: "voided" }[step],
        );
        assert.equal((await billing.ledger(request.order)).length, done);
        await billing.replicas.add();
      });
    }
  });

  it("ignores the outcome of a call that outlasted its lease", async () => {
    const billing = await Billing.start({
      SIMULATED_SLOW_MS: "5000",
      PAYMENT_LEASE_SECONDS: "600",
    });
    try {
      const id = randomUUID();
      const request = charge("tok_slow");
      const late = billing.authorise(id, request);
      await billing.expireLease(id);
      assert.deepEqual((await billing.void(id)).body, { id, status: "voided" });
      assert.equal((await late).status, 503);
      assert.equal(outcome(await billing.authorise(id, request)), "payment-voided");
      assert.equal(outcome(await billing.payment(id)), "voided");
      assert.deepEqual(await billing.ledger(request.order), []);
    } finally {
      await billing.stop();
    }
  });

  it("leaves a payment of another provider unchanged", async () => {
    const billing = await Billing.start();
    try {
      const { id } = await billing.createPayment(charge("tok_ok"));
      await billing.replicas.database.query(
        "UPDATE payments SET provider = 'stripe' WHERE id = $1",
        [id],
      );
      for (const call of [() => billing.capture(id), () => billing.void(id)])
        assert.equal((await call()).status, 503);
      assert.equal(outcome(await billing.payment(id)), "authorised");
    } finally {
      await billing.stop();
    }
  });

  it("neither logs nor stores a token", async () => {
    const billing = await Billing.start({ LOG_LEVEL: "trace" });
    try {
      const token = `tok_${randomUUID()}`;
      const { id, request } = await billing.createPayment({ ...charge("tok_ok"), token });
      await billing.authorise(id, { ...request, token: `${token}x` });
      await billing.authorise(id, { ...request, token, amount: { amount: token } });
      const tables = await billing.replicas.database.query<{ name: string }>(
        "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'",
      );
      assert.ok(tables.length >= 6);
      for (const { name } of tables) {
        const rows = await billing.replicas.database.query<{ row: string }>(
          `SELECT t::text AS row FROM "${name}" AS t`,
        );
        for (const { row } of rows) assert.ok(!row.includes(token), name);
      }
      const log = await flushedLogs(billing.replicas.running);
      assert.match(log, /Migration applied/);
      assert.ok(!log.includes(token));
    } finally {
      await billing.stop();
    }
  });
});
