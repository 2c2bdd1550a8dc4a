import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import {
  startPostgres,
  stopPostgres,
  until,
  flushedLogs,
  type RunningService,
} from "@store/kit/testing";
import type { Fate, Step } from "./support/proxy.ts";
import { cancelled, confirmed, customer, newSku, World, type Placed } from "./support/world.ts";

const forwards: readonly Step[] = ["reserve", "authorise", "commit", "capture", "ship"];

describe("the saga", function () {
  this.timeout(180_000);
  let world: World;

  before(async () => (world = await World.create()));
  after(() => world.dispose());
  afterEach(() => world.calm());

  const ends = async (order: Placed, outcome: typeof confirmed) => {
    await world.reaches(order, outcome.status, 60);
    assert.deepEqual(await world.outcome(order), outcome);
  };
  const sagaOf = async ({ id }: Placed) =>
    (
      await world.database.query<{ step: string; attempts: number; last_error: string | null }>(
        "SELECT step, attempts, last_error FROM sagas WHERE order_id = $1",
        [id],
      )
    )[0];
  const tokenOf = async ({ id }: Placed) =>
    (
      await world.database.query<{ payment_token: string | null }>(
        "SELECT payment_token FROM orders WHERE id = $1",
        [id],
      )
    )[0]?.payment_token;
  const first = (): RunningService => world.replicas[0] ?? assert.fail("no replica runs");
  const retry = (id: string) =>
    first().fetch(`/api/orders/${id}/retry`, { method: "POST", headers: world.staff.headers });

  describe("with two replicas", () => {
    // So long that none loses its lease only because the machine is busy.
    before(() => world.startReplicas(2, { SAGA_LEASE_SECONDS: "4" }));
    after(() => world.killReplicas());

    describe("an order without problems", () => {
      it("commits items, captures money and creates a parcel once, with one call per step", async () => {
        const order = await world.place();
        await ends(order, confirmed);
        assert.deepEqual(world.stepsOf(order), forwards);
        assert.equal(await sagaOf(order), undefined);
      });

      it("is accepted at once while every service hangs", async () => {
        let go: (fate: Fate) => void = () => assert.fail("never asked");
        const held = new Promise<Fate>((resolve) => (go = resolve));
        world.onStep("reserve", () => held);
        const order = await world.place();
        assert.equal((await world.view(order)).status, "pending");
        go("forward");
        await ends(order, confirmed);
      });

      it("deletes the payment's token and logs no personal data", async () => {
        world.onStep("commit", () => ({ status: 503 }));
        const order = await world.place();
        await until("the commit is tried", () => world.stepsOf(order).includes("commit"));
        assert.equal(await tokenOf(order), null);
        world.calm();
        await ends(order, confirmed);
        const log = await flushedLogs(world.replicas);
        assert.match(log, new RegExp(order.requestId));
        assert.doesNotMatch(log, /Ada|example\.org|Analytical|tok_/);
        assert.ok(!log.includes(order.id), "the id is the key to the order");
      });

      it("is driven by one replica at a time", async () => {
        const orders = await Promise.all(
          Array.from({ length: 20 }, (_, i) => world.place({ replica: world.replicas[i % 2] })),
        );
        for (const order of orders) {
          await ends(order, confirmed);
          assert.deepEqual(world.stepsOf(order), forwards);
        }
        assert.deepEqual(
          Object.values(world.proxies).flatMap(({ overlaps }) => overlaps),
          [],
        );
      });
    });

    it("renews the lease while a call takes longer than it", async () => {
      world.onStep("authorise", async (): Promise<Fate> => {
        await new Promise((resolve) => setTimeout(resolve, 5_500));
        return "forward";
      });
      const order = await world.place();
      await ends(order, confirmed);
      assert.deepEqual(world.stepsOf(order), forwards);
    });

    describe("an order that is refused", () => {
      const declines: [string, string][] = [
        ["tok_declined", "payment_declined"],
        ["tok_insufficient_funds", "insufficient_funds"],
        ["tok_nonsense", "invalid_token"],
      ];
      for (const [token, reason] of declines) {
        it(`releases its items if ${token} is ${reason}`, async () => {
          const order = await world.place({ token });
          await ends(order, cancelled(reason, ["declined"]));
          assert.deepEqual(world.stepsOf(order), ["reserve", "authorise", "release", "void"]);
          assert.equal(await tokenOf(order), null);
        });
      }

      it("authorises no payment if the items were sold meanwhile", async () => {
        const sku = newSku();
        world.onStep("reserve", async (): Promise<Fate> => {
          await world.stock(sku, 0);
          return "forward";
        });
        const order = await world.place({ sku });
        await world.reaches(order, "cancelled");
        const { reason, payments, shipments } = await world.outcome(order);
        assert.deepEqual({ reason, shipments }, { reason: "out_of_stock", shipments: 0 });
        assert.ok(payments.every((status) => status === "voided"));
        assert.deepEqual(world.stepsOf(order), ["reserve", "release", "void"]);
      });

      it("voids the payment if the reservation has expired and the items are sold", async () => {
        world.onStep("commit", () => ({ status: 409, type: "out-of-stock" }));
        const order = await world.place();
        await ends(order, cancelled("out_of_stock", ["voided"]));
        assert.deepEqual(world.stepsOf(order), [
          "reserve",
          "authorise",
          "commit",
          "release",
          "void",
        ]);
      });

      for (const step of ["release", "void"] as const) {
        it(`retries ${step} until it succeeds`, async () => {
          const fates: Fate[] = [{ status: 503 }, "cut", "drop", { status: 429 }];
          world.onStep(step, () => fates.shift() ?? "forward");
          const order = await world.place({ token: "tok_declined" });
          await ends(order, cancelled("payment_declined", ["declined"]));
          assert.equal(world.stepsOf(order).filter((asked) => asked === step).length, 5);
        });
      }

      it("continues if its items are already committed", async () => {
        // As a commit does that was sent long ago and arrives when the next one has been refused.
        world.onStep("commit", async ({ path }) => {
          await world.ask("inventory", path, { method: "POST" });
          return { status: 409, type: "out-of-stock" };
        });
        // It has to wait there: what it was being undone for must be forgotten over that, too.
        const fates: Fate[] = [{ status: 503 }];
        world.onStep("capture", () => fates.shift() ?? "forward");
        const order = await world.place();
        await ends(order, confirmed);
        assert.deepEqual(world.stepsOf(order), [
          ...["reserve", "authorise", "commit", "release"],
          ...["capture", "capture", "ship"],
        ]);
      });
    });

    describe("an order with a call of unknown outcome", () => {
      for (const step of forwards) {
        it(`retries ${step} until the outcome is known, and undoes nothing`, async () => {
          const fates: Fate[] = ["cut", { status: 503 }, "drop", { status: 429 }, { status: 408 }];
          world.onStep(step, () => fates.shift() ?? "forward");
          const order = await world.place();
          await ends(order, confirmed);
          const steps = world.stepsOf(order);
          assert.equal(steps.filter((asked) => asked === step).length, 6);
          assert.deepEqual(new Set(steps), new Set(forwards));
        });
      }

      it("waits for a slow payment provider", async () => {
        await ends(await world.place({ token: "tok_slow" }), confirmed);
      });

      it("results in one payment with a provider that fails at random", async () => {
        const orders = await Promise.all(
          Array.from({ length: 10 }, () => world.place({ token: "tok_flaky" })),
        );
        for (const order of orders) await ends(order, confirmed);
      });

      for (const name of ["inventory", "billing", "shipping"] as const) {
        it(`continues when ${name} is available again`, async () => {
          const away: Record<typeof name, Step> = {
            inventory: "commit",
            billing: "capture",
            shipping: "ship",
          };
          let stop: Promise<void> | undefined;
          world.onStep(away[name], async (): Promise<Fate> => {
            await (stop ??= world.stopUpstream(name));
            return "cut";
          });
          const order = await world.place();
          await until("it is seen", async () => ((await sagaOf(order))?.attempts ?? 0) > 1);
          const { step, last_error } = (await sagaOf(order)) ?? assert.fail();
          assert.equal(step, away[name]);
          assert.match(last_error ?? "", new RegExp(`^${name}: `));
          assert.equal((await world.view(order)).status, "pending");
          const metrics = await (await first().fetch("/metrics")).text();
          assert.match(metrics, new RegExp(`^saga_orders\\{step="${step}"\\} 1$`, "m"));
          assert.match(metrics, new RegExp(`^saga_oldest_seconds\\{step="${step}"\\} \\d`, "m"));
          assert.match(metrics, /^saga_orders\{step="needs_attention"\} 0$/m);
          await stop;
          world.calm();
          await world.startUpstream(name);
          await ends(order, confirmed);
        });
      }
    });

    it("has metrics of the age of orders and of their time at a step", async () => {
      const metric = async (name: string, step: Step) => {
        const text = await (await first().fetch("/metrics")).text();
        const line = text.split("\n").find((one) => one.startsWith(`${name}{step="${step}"} `));
        return Number(line?.split(" ")[1]);
      };
      world.onStep("capture", () => "cut");
      world.onStep("ship", () => "cut");
      const order = await world.place();
      const at = (step: Step) =>
        until(`it waits at ${step}`, async () => {
          const saga = await sagaOf(order);
          return saga?.step === step && saga.attempts > 0;
        });
      await at("capture");
      await world.database.query(
        "UPDATE sagas SET since = since - interval '1 hour', step_since = step_since - interval '5 minutes'",
      );
      const standing = await metric("saga_standing_seconds", "capture");
      assert.ok(standing >= 300 && standing < 360, `${standing} s`);
      assert.ok((await metric("saga_oldest_seconds", "capture")) >= 3_600);

      // An attempt is no progress.
      const { attempts } = (await sagaOf(order)) ?? assert.fail();
      await until(
        "it is tried again",
        async () => ((await sagaOf(order))?.attempts ?? 0) > attempts,
      );
      assert.ok((await metric("saga_standing_seconds", "capture")) >= 300);

      world.calm();
      world.onStep("ship", () => "cut");
      await at("ship");
      assert.ok((await metric("saga_standing_seconds", "ship")) < 60);
      assert.ok((await metric("saga_oldest_seconds", "ship")) >= 3_600);
      assert.equal(await metric("saga_standing_seconds", "capture"), 0);
      world.calm();
      await ends(order, confirmed);
      assert.equal(await metric("saga_standing_seconds", "ship"), 0);
    });

    it("has a metric of its lag behind shipping", async () => {
      const lag = async () => {
        const text = await (await first().fetch("/metrics")).text();
        return Number(/^shipping_changes_lag_seconds (.*)$/m.exec(text)?.[1]);
      };
      await until("it is up to date", async () => (await lag()) < 5);
      await world.stopUpstream("shipping");
      await world.database.query(
        "UPDATE shipping_cursor SET caught_up_at = caught_up_at - interval '5 minutes'",
      );
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      const behind = await lag();
      assert.ok(behind >= 301 && behind < 360, `${behind} s`);
      await world.startUpstream("shipping");
      await until("it is up to date again", async () => (await lag()) < 5);
    });

    describe("an order with an unexpected answer", () => {
      const refuses: [Step, Fate, Partial<typeof confirmed>][] = [
        ["reserve", { status: 400 }, { onHand: 5, held: 0, payments: [], shipments: 0 }],
        ["authorise", { status: 404 }, { onHand: 5, held: 1, payments: [], shipments: 0 }],
        ["commit", { status: 404 }, { onHand: 5, held: 1, payments: ["authorised"] }],
        [
          "capture",
          { status: 409, type: "payment-voided" },
          { onHand: 4, payments: ["authorised"] },
        ],
        ["ship", { status: 422, type: "constructor" }, { payments: ["captured"], shipments: 0 }],
      ];
      for (const [step, fate, left] of refuses) {
        it(`waits for staff if ${step} is refused, and continues after their retry`, async () => {
          world.onStep(step, () => fate);
          const order = await world.place();
          const { reason, history } = await world.reaches(order, "needs_attention");
          assert.equal(reason, `${step}_refused`);
          assert.deepEqual(history.at(-1)?.reason, reason);
          const outcome = await world.outcome(order);
          assert.deepEqual({ ...outcome, ...left }, outcome);
          assert.match((await sagaOf(order))?.last_error ?? "", /answered 4\d\d .*by the proxy$/);
          await new Promise((resolve) => setTimeout(resolve, 500));
          assert.equal(world.stepsOf(order).filter((asked) => asked === step).length, 1);

          world.calm();
          const response = await first().fetch(`/api/orders/${order.id}/retry`, {
            method: "POST",
            headers: world.staff.headers,
          });
          assert.equal(response.status, 200);
          await ends(order, {
            ...confirmed,
            history: ["pending", "needs_attention", "pending", "confirmed"],
          });
        });
      }
    });

    describe("an order that staff cancel", () => {
      const cancel = (id: string) =>
        first().fetch(`/api/orders/${id}/cancel`, { method: "POST", headers: world.staff.headers });
      const refusal = async (id: string) => {
        const response = await cancel(id);
        return [response.status, ((await response.json()) as { type: string }).type] as const;
      };
      const cancelledByStore = (payments: readonly string[]) => ({
        ...cancelled("cancelled_by_store", payments),
        history: ["pending", "needs_attention", "pending", "cancelled"],
      });

      const refused: [Step, readonly string[]][] = [
        ["reserve", []],
        ["authorise", []],
        ["commit", ["voided"]],
      ];
      for (const [step, payments] of refused) {
        it(`is undone if ${step} was refused, and a late call is refused`, async () => {
          let path = "";
          world.onStep(step, (call) => {
            path = call.path;
            return { status: 404 };
          });
          const order = await world.place();
          await world.reaches(order, "needs_attention");
          world.calm();
          const response = await cancel(order.id);
          assert.equal(response.status, 200);
          assert.equal(response.headers.get("cache-control"), "no-store");
          assert.equal(((await response.json()) as { status: string }).status, "pending");
          await ends(order, cancelledByStore(payments));
          assert.deepEqual(world.stepsOf(order).slice(-2), ["release", "void"]);
          assert.equal(await tokenOf(order), null);

          const late = {
            reserve: () =>
              world.ask("inventory", path, {
                method: "PUT",
                body: JSON.stringify({ lines: [{ sku: order.sku, quantity: 1 }] }),
              }),
            authorise: () =>
              world.ask("billing", path, {
                method: "PUT",
                body: JSON.stringify({
                  order: order.id,
                  amount: { amount: 2900, currency: "AUD" },
                  token: "tok_ok",
                }),
              }),
            commit: () => world.ask("inventory", path, { method: "POST" }),
          }[step as "reserve" | "authorise" | "commit"];
          assert.equal((await late()).status, 409);
          assert.deepEqual(await world.outcome(order), cancelledByStore(payments));
          // Asked again, it is as it is.
          assert.equal((await cancel(order.id)).status, 200);
          assert.deepEqual(await world.outcome(order), cancelledByStore(payments));
        });
      }

      it("is undone while it waits for an answer, also if the answer still arrives", async () => {
        world.onStep("authorise", () => "drop");
        const order = await world.place();
        await until("it waits", async () => ((await sagaOf(order))?.attempts ?? 0) > 0);
        await until("it is cancelled", async () => (await cancel(order.id)).status === 200);
        world.calm();
        await ends(order, cancelled("cancelled_by_store", ["voided"]));
      });

      it("continues if its items are already committed", async () => {
        world.onStep("commit", async ({ path }) => {
          await world.ask("inventory", path, { method: "POST" });
          return { status: 404 };
        });
        const order = await world.place();
        await world.reaches(order, "needs_attention");
        assert.equal((await cancel(order.id)).status, 200);
        await ends(order, {
          ...confirmed,
          history: ["pending", "needs_attention", "pending", "confirmed"],
        });
        assert.deepEqual(world.stepsOf(order).slice(-3), ["release", "capture", "ship"]);
      });

      it("keeps the reason for which it was already being undone", async () => {
        world.onStep("release", () => ({ status: 404 }));
        const order = await world.place({ token: "tok_declined" });
        await world.reaches(order, "needs_attention");
        world.calm();
        assert.equal((await cancel(order.id)).status, 200);
        await ends(order, {
          ...cancelled("payment_declined", ["declined"]),
          history: ["pending", "needs_attention", "pending", "cancelled"],
        });
      });

      it("is the only one undone: a waiting order and one that needs attention are unchanged", async () => {
        const refused = new Set<string>();
        world.onStep("reserve", ({ requestId }) =>
          refused.has(requestId) ? { status: 404 } : { status: 503 },
        );
        const place = async (isRefused: boolean) => {
          const requestId = randomUUID();
          if (isRefused) refused.add(requestId);
          return world.place({ requestId });
        };
        const [order, left, waiting] = [await place(true), await place(true), await place(false)];
        for (const one of [order, left]) await world.reaches(one, "needs_attention");
        await until("it waits", async () => ((await sagaOf(waiting))?.attempts ?? 0) > 0);
        assert.equal((await cancel(order.id)).status, 200);
        await world.reaches(order, "cancelled");
        assert.equal((await world.view(left)).status, "needs_attention");
        for (const one of [left, waiting]) {
          assert.equal((await sagaOf(one))?.step, "reserve");
          assert.equal(await tokenOf(one), "tok_ok");
        }
        world.calm();
        await ends(waiting, confirmed);
        await retry(left.id);
        await ends(left, {
          ...confirmed,
          history: ["pending", "needs_attention", "pending", "confirmed"],
        });
      });

      it("is unchanged once its items are committed, while a worker has it, and after its end", async () => {
        const problem = "urn:store:problem:";
        for (const step of ["capture", "ship"] as const) {
          world.onStep(step, () => ({ status: 404 }));
          const order = await world.place();
          await world.reaches(order, "needs_attention");
          assert.deepEqual(await refusal(order.id), [409, `${problem}order-not-cancellable`]);
          assert.equal((await world.view(order)).status, "needs_attention");
          world.calm();
          await retry(order.id);
          await world.reaches(order, "confirmed");
          assert.deepEqual(await refusal(order.id), [409, `${problem}order-not-cancellable`]);
        }

        let go: (fate: Fate) => void = () => assert.fail("never asked");
        let asked = false;
        world.onStep("authorise", () => {
          asked = true;
          return new Promise<Fate>((resolve) => (go = resolve));
        });
        const busy = await world.place();
        await until("it is asked for", () => asked);
        assert.deepEqual(await refusal(busy.id), [409, `${problem}order-in-progress`]);
        go("forward");
        await ends(busy, confirmed);
        assert.deepEqual(await refusal(randomUUID()), [404, "about:blank"]);
      });
    });

    describe("the staff routes", () => {
      interface Page {
        readonly items: Record<string, unknown>[];
        readonly next: string | null;
      }
      const list = async (query: string) => {
        const response = await first().fetch(`/api/orders?${query}`, {
          headers: world.staff.headers,
        });
        assert.equal(response.status, 200);
        assert.equal(response.headers.get("cache-control"), "no-store");
        return (await response.json()) as Page;
      };
      it("require the staff token", async () => {
        for (const [path, method] of [
          ["/api/orders", "GET"],
          [`/api/orders/${randomUUID()}/retry`, "POST"],
          [`/api/orders/${randomUUID()}/cancel`, "POST"],
        ] as const) {
          const response = await first().fetch(path, { method });
          assert.equal(response.status, 401);
          assert.equal(response.headers.get("www-authenticate"), "Bearer");
        }
      });

      it("list the step and the error of a waiting order", async () => {
        world.onStep("capture", () => ({ status: 503 }));
        const order = await world.place();
        await until("it waits", async () => ((await sagaOf(order))?.attempts ?? 0) > 0);
        const [found] = (await list("status=pending")).items.filter(({ id }) => id === order.id);
        const { placedAt, attempts, ...rest } = found ?? assert.fail("it isn't there");
        assert.ok(Number(attempts) > 0);
        assert.ok(Math.abs(Date.parse(String(placedAt)) - Date.now()) < 60_000);
        assert.deepEqual(rest, {
          id: order.id,
          status: "pending",
          total: { amount: 2900, currency: "AUD" },
          customer: { name: customer.name, email: customer.email },
          step: "capture",
          lastError: "billing: answered 503",
        });
        world.calm();
        assert.equal((await retry(order.id)).status, 200);
        await ends(order, confirmed);
      });

      it("list each order once, newest first, page by page", async () => {
        const placed: Placed[] = [];
        for (let i = 0; i < 3; i++) placed.push(await world.place({ token: "tok_declined" }));
        for (const order of placed) await world.reaches(order, "cancelled");
        const newest = await list("limit=3");
        assert.deepEqual(
          newest.items.map(({ id, status, reason, step }) => ({ id, status, reason, step })),
          placed.reverse().map(({ id }) => ({
            id,
            status: "cancelled",
            reason: "payment_declined",
            step: "done",
          })),
        );

        for (const filter of ["", "status=cancelled&"]) {
          const all: string[] = [];
          let page = await list(`${filter}limit=5`);
          for (;;) {
            all.push(...page.items.map(({ id }) => String(id)));
            if (page.next === null) break;
            page = await list(`${filter}limit=5&after=${page.next}`);
          }
          const kept = await world.database.query<{ id: string }>(
            `SELECT id FROM orders ${filter === "" ? "" : "WHERE status = 'cancelled'"} ORDER BY placed_at DESC, id DESC`,
          );
          assert.deepEqual(
            all,
            kept.map(({ id }) => id),
          );
        }
      });

      it("retry no other order and none that a worker has", async () => {
        let go: (fate: Fate) => void = () => assert.fail("never asked");
        const busyId = randomUUID();
        world.onStep("reserve", ({ requestId }) =>
          requestId === busyId ? new Promise<Fate>((resolve) => (go = resolve)) : { status: 404 },
        );
        const [one, other] = [await world.place(), await world.place()];
        for (const order of [one, other]) await world.reaches(order, "needs_attention");
        const busy = await world.place({ requestId: busyId });
        await until("it is asked for", () => world.stepsOf(busy).length === 1);

        world.onStep("reserve", ({ requestId }) =>
          requestId === busyId ? "forward" : { status: 404 },
        );
        assert.equal((await retry(busy.id)).status, 200);
        await new Promise((resolve) => setTimeout(resolve, 700));
        assert.deepEqual(world.stepsOf(busy), ["reserve"]);
        go("forward");
        await ends(busy, confirmed);

        world.calm();
        assert.equal((await retry(one.id)).status, 200);
        await world.reaches(one, "confirmed");
        assert.equal((await world.view(other)).status, "needs_attention");
        await retry(other.id);
        await world.reaches(other, "confirmed");
      });

      it("retry no order that has ended or doesn't exist", async () => {
        const order = await world.place();
        await world.reaches(order, "confirmed");
        const ended = await retry(order.id);
        assert.equal(ended.status, 409);
        assert.equal(
          ((await ended.json()) as { type: string }).type,
          "urn:store:problem:nothing-to-retry",
        );
        assert.equal((await retry(randomUUID())).status, 404);
      });
    });

    describe("an order whose parcel exists", () => {
      const move = async (order: Placed, to: "dispatch" | "deliver") => {
        const response = await world.ask("shipping", `/api/shipping/shipments?order=${order.id}`);
        const [shipment] = ((await response.json()) as { items: { id: string }[] }).items;
        assert.ok(shipment);
        const moved = await world.ask("shipping", `/api/shipping/shipments/${shipment.id}/${to}`, {
          method: "POST",
        });
        assert.equal(moved.status, 200);
      };

      it("follows the parcel and records each status once", async () => {
        const orders = await Promise.all(Array.from({ length: 5 }, () => world.place()));
        for (const order of orders) await world.reaches(order, "confirmed");
        await Promise.all(orders.map((order) => move(order, "dispatch")));
        for (const order of orders) await world.reaches(order, "shipped");
        await Promise.all(orders.map((order) => move(order, "deliver")));
        for (const order of orders) {
          const { history } = await world.reaches(order, "delivered");
          assert.deepEqual(
            history.map(({ status }) => status),
            ["pending", "confirmed", "shipped", "delivered"],
          );
        }
      });

      it("is confirmed by the parcel even if the last response was lost", async () => {
        world.onStep("ship", () => "drop");
        const order = await world.place();
        await until("the parcel is made", async () => (await world.outcome(order)).shipments === 1);
        assert.equal((await world.view(order)).status, "pending");
        await move(order, "dispatch");
        const { history } = await world.reaches(order, "shipped");
        assert.deepEqual(
          history.map(({ status }) => status),
          ["pending", "confirmed", "shipped"],
        );
        assert.equal(await sagaOf(order), undefined);
        const asked = world.stepsOf(order).length;
        await new Promise((resolve) => setTimeout(resolve, 700));
        assert.ok(world.stepsOf(order).length <= asked + 1, "nobody asks for it any more");
      });
    });

    it("survives a restart of the database", async () => {
      const orders = await Promise.all(
        Array.from({ length: 10 }, () => world.place({ token: "tok_slow" })),
      );
      await stopPostgres();
      await startPostgres();
      for (const order of orders) await ends(order, confirmed);
    });
  });

  describe("an order whose replica is killed", () => {
    const start = () => world.startReplicas(1, { SAGA_LEASE_SECONDS: "1" });
    before(start);
    after(() => world.killReplicas());

    const undoes: readonly Step[] = ["release", "void"];
    for (const step of [...forwards, ...undoes]) {
      for (const fate of ["cut", "drop"] as const) {
        const when = fate === "cut" ? "before the call" : "before the response";
        it(`at ${step}, ${when}, is continued by the next replica`, async () => {
          const undone = undoes.includes(step);
          let killed: Promise<unknown> | undefined;
          world.onStep(step, () => {
            if (killed !== undefined) return "forward";
            killed = world.killReplicas();
            return fate;
          });
          const order = await world.place({ token: undone ? "tok_declined" : "tok_ok" });
          await until("it is dead", () => killed !== undefined);
          await killed;
          await start();
          await ends(order, undone ? cancelled("payment_declined", ["declined"]) : confirmed);
        });
      }
    }
  });

  describe("a replica that is frozen for longer than its lease", () => {
    afterEach(() => world.killReplicas());

    // The step at which it stops, the one at which the other one waits when it wakes up, and what it hears then.
    const cases: [Step, Step, Fate][] = [
      ["reserve", "commit", "forward"],
      ["authorise", "commit", "forward"],
      ["authorise", "commit", { status: 503 }],
      ["authorise", "commit", { status: 404 }],
      ["ship", "ship", "forward"],
    ];
    for (const [asking, waiting, heard] of cases) {
      const what = typeof heard === "string" ? "" : `, answered by ${heard.status},`;
      it(`during the call of ${asking}${what} writes nothing after waking up; another replica continues`, async () => {
        // So patient that it still hears the answer.
        await world.startReplicas(1, { STEP_TIMEOUT_MS: "60000", PAYMENT_TIMEOUT_MS: "60000" });
        const [paused = assert.fail()] = world.replicas;
        let answer: (fate: Fate) => void = () => assert.fail("never asked");
        const asleep = new Promise<Fate>((resolve) => (answer = resolve));
        if (waiting !== asking) world.onStep(waiting, () => ({ status: 503 }));
        let asked = false;
        world.onStep(asking, () => {
          if (asked) return waiting === asking ? { status: 503 } : "forward";
          asked = true;
          return asleep;
        });
        const order = await world.place();
        await until("it asks", () => asked);
        paused.process.kill("SIGSTOP");
        await world.startReplicas(1, { SAGA_BACKOFF_MS: "600000", SAGA_BACKOFF_MAX_MS: "600000" });
        await until("the other waits", async () => (await sagaOf(order))?.attempts === 1);

        const before = world.stepsOf(order);
        answer(heard);
        paused.process.kill("SIGCONT");
        await paused.waitForLog("it has lost the order", ({ msg }) =>
          /lease has expired/.test(msg),
        );
        assert.deepEqual(world.stepsOf(order), before, "it asks for nothing more");
        const { step, attempts } = (await sagaOf(order)) ?? assert.fail("it has ended the order");
        assert.deepEqual([step, attempts], [waiting, 1]);
        assert.equal((await world.view(order)).status, "pending");

        world.calm();
        const retried = await first().fetch(`/api/orders/${order.id}/retry`, {
          method: "POST",
          headers: world.staff.headers,
        });
        assert.equal(retried.status, 200);
        await ends(order, confirmed);
      });
    }
  });

  describe("an order whose progress can't be stored", () => {
    before(() => world.startReplicas(1, { SAGA_LEASE_SECONDS: "3600" }));
    after(() => world.killReplicas());
    afterEach(() => repair());

    /** From now on PostgreSQL refuses a change of an order's saga. */
    const refuse = (change: string, code: string) =>
      world.database.query(`
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
          BEGIN RAISE EXCEPTION 'refused by the test' USING ERRCODE = '${code}'; END $$;
        CREATE TRIGGER refuse BEFORE ${change} EXECUTE FUNCTION refuse()`);
    const repair = () => world.database.query("DROP FUNCTION IF EXISTS refuse CASCADE");
    const written = "UPDATE ON sagas FOR EACH ROW WHEN (NEW.step = 'commit')";

    const cases: [string, Step, Fate, string][] = [
      ["a step", "authorise", "forward", written],
      [
        "its waiting",
        "commit",
        { status: 503 },
        "UPDATE ON sagas FOR EACH ROW WHEN (NEW.lease IS NULL)",
      ],
      ["its end", "ship", "forward", "DELETE ON sagas FOR EACH ROW"],
    ];
    // A database that is away, and a statement that it ended.
    for (const code of ["57P01", "57014"]) {
      for (const [what, step, fate, change] of cases) {
        it(`has ${what} stored as soon as possible (${code}), however long the lease is`, async () => {
          let refused: Promise<unknown> | undefined;
          world.onStep(step, async () => {
            if (refused !== undefined) return "forward";
            await (refused = refuse(change, code));
            return fate;
          });
          const order = await world.place();
          await until("it is asked for", () => refused !== undefined);
          await new Promise((resolve) => setTimeout(resolve, 400));
          assert.equal((await world.view(order)).status, "pending");
          await repair();
          await ends(order, confirmed);
        });
      }
    }

    it("isn't written by a worker that has lost its lease", async () => {
      let refused = false;
      world.onStep("authorise", async (): Promise<Fate> => {
        await refuse(written, "57014");
        refused = true;
        return "forward";
      });
      const order = await world.place();
      await until("it is asked for", () => refused);
      await first().waitForLog(
        "it can't be written",
        ({ requestId, msg }) =>
          requestId === order.requestId && /Failed to read or write/.test(msg),
      );
      await world.database.query("UPDATE sagas SET lease = gen_random_uuid() WHERE order_id = $1", [
        order.id,
      ]);
      await repair();
      await first().waitForLog(
        "it has lost the order",
        ({ requestId, msg }) => requestId === order.requestId && /lease has expired/.test(msg),
      );
      assert.equal((await sagaOf(order))?.step, "reserve");
      assert.deepEqual(world.stepsOf(order), ["reserve", "authorise"]);
    });

    it("stores an answer with characters that PostgreSQL can't store", async () => {
      world.onStep("reserve", () => ({ status: 400, detail: "no\0thing" }));
      await world.reaches(await world.place(), "needs_attention");
    });
  });

  describe("orders with slow payments", () => {
    afterEach(() => world.killReplicas());

    /** Places orders whose payments are asked for and not answered until `answer` is called. */
    const placeSlow = async (count: number) => {
      let answer: (fate: Fate) => void = () => undefined;
      const asleep = new Promise<Fate>((resolve) => (answer = resolve));
      const slow = new Set<string>();
      world.onStep("authorise", ({ requestId }) => (slow.has(requestId) ? asleep : "forward"));
      const orders: Placed[] = [];
      for (let n = 0; n < count; n++) {
        const requestId = randomUUID();
        slow.add(requestId);
        orders.push(await world.place({ requestId }));
      }
      return { orders, answer: () => answer("forward") };
    };
    const asked = (orders: readonly Placed[]) =>
      orders.filter((order) => world.stepsOf(order).includes("authorise")).length;
    const patient = { SAGA_CONCURRENCY: "2", PAYMENT_TIMEOUT_MS: "60000" };

    it("delay no other order", async () => {
      await world.startReplicas(1, patient);
      const slow = await placeSlow(6);
      await until("all of them are asked for", () => asked(slow.orders) === 6);
      const other = await world.place();
      await ends(other, confirmed);
      slow.answer();
      for (const order of slow.orders) await ends(order, confirmed);
    });

    it("are claimed up to the limit of waiting orders", async () => {
      await world.startReplicas(1, { ...patient, SAGA_MAX_WAITING: "1" });
      const slow = await placeSlow(4);
      await until("three of them are asked for", () => asked(slow.orders) === 3);
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      assert.equal(asked(slow.orders), 3);
      slow.answer();
      for (const order of slow.orders) await ends(order, confirmed);
    });
  });

  describe("a replica that gets SIGTERM", () => {
    afterEach(() => world.killReplicas());

    it("finishes its call and releases the order, which another replica continues at once", async () => {
      // So patient that the other may take its time to start.
      await world.startReplicas(1, { SAGA_LEASE_SECONDS: "3600", PAYMENT_TIMEOUT_MS: "60000" });
      const [ending = assert.fail()] = world.replicas;
      let answer: (fate: Fate) => void = () => assert.fail("never asked");
      const asked = new Promise<void>((resolve) => {
        world.onStep("authorise", () => {
          resolve();
          return new Promise((decide) => (answer = decide));
        });
      });
      const order = await world.place();
      await asked;
      await world.startReplicas(1, { SAGA_LEASE_SECONDS: "3600" });
      const exited = ending.stop("SIGTERM");
      await ending.waitForLog("it drains", ({ msg }) => /SIGTERM/.test(msg));
      world.calm();
      answer("forward");
      assert.equal(await exited, 0);
      world.replicas.shift();
      await ends(order, confirmed);
      assert.deepEqual(world.stepsOf(order), forwards);
    });
  });
});
