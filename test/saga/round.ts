import { setTimeout as delay } from "node:timers/promises";
import { until } from "@store/kit/testing";
import { LEASE_SECONDS, type BackEnd } from "./backEnd.ts";
import { isStep } from "./calls.ts";
import { checkInvariants, type Order } from "./checks.ts";
import { ShopClient } from "./customers.ts";
import { InvariantResults } from "./findings.ts";
import { allDerivedIds } from "./ids.ts";

/** Seconds after the end of all faults within which every order must have ended. */
const REST_SECONDS = 40;

/** Milliseconds before a call within which a blackout makes it uncertain when it came. */
const BLIND_MS = 1_500;

/** A part of the test with goods, customers and orders of its own, so that many can follow one another on one back end. */
export class Round {
  readonly name: string;
  readonly backEnd: BackEnd;
  readonly results = new InvariantResults();
  readonly shopClient: ShopClient;
  /** All that was ever put of each product. */
  readonly stocked = new Map<string, number>();
  /** Refunds that were granted, by payment: the sum. */
  readonly refunded = new Map<string, number>();
  readonly #firstCall: number;
  readonly #begun = new Date().toISOString();
  readonly #underWay: Promise<void>[] = [];
  readonly #restocking = new Map<string, Promise<void>>();
  #marks = 0;

  private constructor(backEnd: BackEnd, name: string) {
    this.backEnd = backEnd;
    this.name = name;
    this.shopClient = new ShopClient(backEnd.url, this.results);
    this.#firstCall = backEnd.proxy.calls.length;
    backEnd.proxy.resetAttempts();
  }

  /** @param onHand How many of each product there are at first. */
  static async begin(backEnd: BackEnd, name: string, onHand: readonly number[]): Promise<Round> {
    const round = new Round(backEnd, name);
    await Promise.all(
      onHand.map(async (count, n) => {
        const response = await backEnd.asStaff(
          "inventory",
          `/api/inventory/products/${round.sku(n)}`,
          { method: "PUT", body: JSON.stringify(goods(count, "first")) },
        );
        if (!response.ok) throw new Error(`no goods: ${response.status} ${await response.text()}`);
        round.stocked.set(round.sku(n), count);
      }),
    );
    return round;
  }

  sku(n: number): string {
    return `${this.name}-${n}`;
  }

  key(n: number): string {
    return `${this.name}/${n}`;
  }

  /** Calls that passed the proxy since the round began. */
  get calls() {
    return this.backEnd.proxy.calls.slice(this.#firstCall);
  }

  /** Does something beside what goes on. rest() waits for it. */
  runInBackground(work: Promise<void>): void {
    // Its error is thrown there, too.
    work.catch(() => undefined);
    this.#underWay.push(work);
  }

  /** Goods arrive, or break, where `more` is negative. */
  restock(sku: string, more: number): Promise<void> {
    // One after the other: each finds out by what it wrote whether it has been done.
    const before = this.#restocking.get(sku) ?? Promise.resolve();
    const done = before.then(() => this.#restock(sku, more));
    this.#restocking.set(sku, done);
    return done;
  }

  async #restock(sku: string, more: number): Promise<void> {
    const path = `/api/inventory/stock/${sku}`;
    const mark = `change ${++this.#marks}`;
    await this.#insist(async () => {
      const response = await this.backEnd.asStaff("inventory", path);
      if (response.status !== 200) return false;
      const { onHand, description } = (await response.json()) as {
        onHand: number;
        description: string;
      };
      // An earlier attempt whose answer was lost.
      const done = () => this.stocked.set(sku, (this.stocked.get(sku) ?? 0) + more);
      if (description === mark) {
        done();
        return true;
      }
      if (onHand + more < 0) return true;
      const put = await this.backEnd.asStaff("inventory", `/api/inventory/products/${sku}`, {
        method: "PUT",
        headers: { "if-match": response.headers.get("etag") ?? "" },
        body: JSON.stringify(goods(onHand + more, mark)),
      });
      if (put.ok) done();
      // 409: some of what would break is held.
      return put.ok || put.status === 409;
    });
  }

  /** Sends or hands over the parcels of this round's orders. */
  async advanceParcels(action: "dispatch" | "deliver"): Promise<void> {
    for (const { id } of await this.#insistOnOrders()) {
      await this.#insist(async () => {
        const response = await this.backEnd.asStaff(
          "shipping",
          `/api/shipping/shipments?order=${id}`,
        );
        if (!response.ok) return false;
        const { items } = (await response.json()) as {
          items: readonly { id: string; status: string }[];
        };
        const ready = action === "dispatch" ? "pending" : "dispatched";
        const [shipment] = items.filter(({ status }) => status === ready);
        if (shipment === undefined) return true;
        const moved = await this.backEnd.asStaff(
          "shipping",
          `/api/shipping/shipments/${shipment.id}/${action}`,
          { method: "POST" },
        );
        return moved.ok;
      });
    }
  }

  /** Pays back a part of what was captured for each order, and asks again under the same key until it is known. */
  async refund(share: number): Promise<void> {
    const mark = ++this.#marks;
    for (const { id, total } of await this.#insistOnOrders()) {
      await this.#insist(async () => {
        const response = await this.backEnd.asStaff("billing", `/api/billing/payments?order=${id}`);
        if (!response.ok) return false;
        const { items } = (await response.json()) as {
          items: readonly { id: string; status: string }[];
        };
        const [payment] = items.filter(({ status }) => status === "captured");
        if (payment === undefined) return true;
        const amount = Math.max(1, Math.round(total.amount * share));
        const refunded = await this.backEnd.asStaff(
          "billing",
          `/api/billing/payments/${payment.id}/refunds`,
          {
            method: "POST",
            headers: { "idempotency-key": `${this.name}-${mark}-${id}` },
            body: JSON.stringify({ amount: { ...total, amount }, reason: "tests" }),
          },
        );
        if (refunded.status === 201)
          this.refunded.set(payment.id, (this.refunded.get(payment.id) ?? 0) + amount);
        // 409: no more is left.
        return refunded.status === 201 || refunded.status === 409;
      });
    }
  }

  /** Orders of this round's goods, those too whose customers were never told. */
  async orders(): Promise<Order[]> {
    const rows = await this.backEnd.database("orders").query<{
      id: string;
      key: string;
      status: string;
      amount: string;
      currency: string;
      token: string | null;
    }>(
      `SELECT id, idempotency_key AS key, status, total_amount AS amount, currency, payment_token AS token
       FROM orders WHERE EXISTS (SELECT FROM order_items WHERE order_id = id AND sku LIKE $1)
       ORDER BY placed_at`,
      [`${this.name}-%`],
    );
    return rows.map(({ amount, currency, ...order }) => ({
      ...order,
      total: { amount: Number(amount), currency },
    }));
  }

  /** Whether all orders have ended. */
  async allOrdersEnded(): Promise<boolean> {
    return (await this.orders()).every(({ status }) => status !== "pending");
  }

  /** Lets everything go on as it is until all orders have ended, or for so many seconds. */
  async keepFaultsUntilOrdersEnd(seconds: number): Promise<void> {
    const deadline = Date.now() + seconds * 1_000;
    while (Date.now() < deadline) {
      // The database may be away.
      if (this.shopClient.isIdle && (await this.allOrdersEnded().catch(() => false))) return;
      await delay(100);
    }
  }

  /**
   * Ends all faults, waits until everything has come to rest, and looks whether all that must hold holds.
   *
   * @param seconds Within which every order must have ended.
   */
  async finish(seconds = REST_SECONDS): Promise<InvariantResults> {
    const { backEnd, shopClient, results } = this;
    await backEnd.recover();
    await Promise.all(this.#underWay);
    await shopClient.settled();
    await backEnd.proxy.settled();
    const resting = async () => (await this.allOrdersEnded()) && (await this.#followed());
    // In vain where something is broken, which is what the checks are there to name.
    await until("every order has ended", resting, seconds).catch(() => undefined);
    await checkInvariants(this);
    this.#checkLeases(await this.orders());
    this.#checkTombstones();
    this.#checkLogs();
    return results;
  }

  /** Whether orders has heard of each parcel how far it is. */
  async #followed(): Promise<boolean> {
    const shipments = await this.backEnd
      .database("shipping")
      .query<{ order: string; status: string }>(
        `SELECT order_id AS "order", status FROM shipments WHERE status IN ('dispatched', 'delivered')`,
      );
    const heard = { dispatched: "shipped", delivered: "delivered" } as Record<string, string>;
    const orders = new Map((await this.orders()).map(({ id, status }) => [id, status]));
    return shipments.every(
      ({ order, status }) => !orders.has(order) || orders.get(order) === heard[status],
    );
  }

  /** Calls for one order from two replicas at once, unless one of them had been stopped: then it lost its lease. */
  #checkLeases(orders: readonly Order[]): void {
    const orderOf = new Map(orders.flatMap(({ id }) => allDerivedIds(id).map((made) => [made, id])));
    const perOrder = new Map<string, ReturnType<() => typeof this.calls>>();
    for (const call of this.calls) {
      const order = orderOf.get(call.id);
      if (order === undefined || !isStep(call.operation) || !call.caller.startsWith("orders-"))
        continue;
      perOrder.set(order, [...(perOrder.get(order) ?? []), call]);
    }
    for (const [order, calls] of perOrder) {
      const overlapping = calls.flatMap((one, n) =>
        calls
          .slice(n + 1)
          .filter(
            (other) =>
              other.caller !== one.caller &&
              // Of two things that happen in the same moment, either may be seen first.
              other.from + 20 < (one.to ?? Infinity) &&
              // A replica that is starved of the processor loses its lease as one that is stopped does.
              other.from - one.from < (LEASE_SECONDS * 1_000) / 2 &&
              !this.#wasStopped(one.caller, one.from, other.from) &&
              !this.#wasBlind(one.from, other.from + 20),
          )
          .map(
            (other) =>
              `${one.operation} from ${one.caller} and, ${other.from - one.from} ms later, ${other.operation} from ${other.caller}`,
          ),
      );
      this.results.check("lease", overlapping.length === 0, `${order}: ${overlapping.join("; ")}`);
    }
  }

  #wasStopped(name: string, from: number, to: number): boolean {
    return this.backEnd
      .replica(name)
      .pauses.some(
        (pause) => pause.from < to && (pause.to ?? Infinity) > from - LEASE_SECONDS * 1_000,
      );
  }

  /** Whether the proxy may have seen a call later than it came, or later that its caller had hung up. */
  #wasBlind(from: number, to: number): boolean {
    return this.backEnd.proxy.stalls.some(
      (blackout) => blackout.from < to && blackout.to > from - BLIND_MS,
    );
  }

  /** Once something is cancelled, a call for it that comes later is refused. */
  #checkTombstones(): void {
    const gone = new Map<string, number>();
    const wanted = { cancel: "cancelled", void: "voided" } as Record<string, string>;
    for (const { operation, id, status, answer, to } of this.calls) {
      const word = wanted[operation];
      if (word === undefined || status !== 200 || to === undefined) continue;
      if ((JSON.parse(answer ?? "{}") as { status?: string }).status !== word) continue;
      gone.set(id, Math.min(gone.get(id) ?? Infinity, to));
    }
    for (const { operation, id, from, status, answer } of this.calls) {
      const since = gone.get(id);
      if (since === undefined || from < since || status === undefined || status >= 500) continue;
      if (!["reserve", "commit", "authorise", "capture"].includes(operation)) continue;
      this.results.check(
        "tombstone",
        status === 409 || status === 404,
        `${operation} of ${id} after it was cancelled was answered ${status}: ${answer}`,
      );
    }
  }

  #checkLogs(): void {
    for (const { name, log } of this.backEnd.replicas) {
      const errors = log.filter(
        ({ level, time }) =>
          (level === "error" || level === "fatal") && String(time) >= this.#begun,
      );
      this.results.check(
        "errors",
        errors.length === 0,
        `${name}: ${errors
          .slice(0, 3)
          .map((line) => JSON.stringify(line))
          .join("\n  ")}`,
      );
    }
  }

  async #insistOnOrders(): Promise<readonly Order[]> {
    let orders: readonly Order[] = [];
    await this.#insist(async () => {
      orders = await this.orders();
      return true;
    });
    return orders;
  }

  /** Repeats what can't be done while a process or the database is away. */
  async #insist(work: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + 40_000;
    while (Date.now() < deadline) {
      if (await work().catch(() => false)) return;
      await delay(200);
    }
    throw new Error(`${this.name}: the store's people couldn't do their work within 40 s`);
  }
}

function goods(onHand: number, description: string) {
  return {
    ...{ name: "Something", description, onHand },
    price: { amount: 1_250, currency: "AUD" },
  };
}
