import { setTimeout as delay } from "node:timers/promises";
import { callerToken, until } from "@store/kit/testing";
import type { BackEnd } from "../backEnd/backEnd.ts";
import { derivedIds } from "../backEnd/derivedIds.ts";
import { checkCallsAndLogs } from "../invariants/checkCalls.ts";
import { checkInvariants, type Order } from "../invariants/checkInvariants.ts";
import { OrderClient } from "../backEnd/orderClient.ts";
import { InvariantResults } from "../invariants/invariants.ts";

/** Seconds after the end of all faults within which every order must have ended, also on a busy machine. */
const RECOVERY_SECONDS = 120;
/** Seconds within which a staff action must succeed. */
const ACTION_SECONDS = 120;

/** A part of the test with its own products, client and orders, so that many rounds can run one after another on one back end. */
export class Round {
  readonly name: string;
  readonly backEnd: BackEnd;
  readonly results = new InvariantResults();
  readonly orderClient: OrderClient;
  /** Total quantity stocked during the round, by SKU. */
  readonly stocked = new Map<string, number>();
  /** Total of the accepted refunds, by payment. */
  readonly refunded = new Map<string, number>();
  /** ISO time at which the round began. */
  readonly startedAt = new Date().toISOString();
  readonly #firstCall: number;
  readonly #backgroundWork: Promise<void>[] = [];
  readonly #restocking = new Map<string, Promise<void>>();
  /** Number of the last staff action, to recognize repeated requests. */
  #actions = 0;

  private constructor(backEnd: BackEnd, name: string) {
    this.backEnd = backEnd;
    this.name = name;
    this.orderClient = new OrderClient(backEnd.url, this.results);
    this.#firstCall = backEnd.proxy.calls.length;
    backEnd.proxy.resetAttempts();
  }

  /** @param onHand Initial stock of each product. */
  static async begin(backEnd: BackEnd, name: string, onHand: readonly number[]): Promise<Round> {
    const round = new Round(backEnd, name);
    await Promise.all(
      onHand.map(async (count, n) => {
        const response = await backEnd.asStaff(
          "inventory",
          `/api/inventory/products/${round.sku(n)}`,
          { method: "PUT", body: JSON.stringify(productEdit(count, "initial")) },
        );
        if (!response.ok)
          throw new Error(`Adding products failed: ${response.status} ${await response.text()}`);
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

  /** The calls that passed the proxy since the round began. */
  get calls() {
    return this.backEnd.proxy.calls.slice(this.#firstCall);
  }

  /** Registers work that runs concurrently. finish() waits for it and throws its error. */
  runInBackground(work: Promise<void>): void {
    // Prevents an unhandled rejection before finish() awaits the work.
    work.catch(() => undefined);
    this.#backgroundWork.push(work);
  }

  /** Changes the stock of a product by `more`, which may be negative. */
  restock(sku: string, more: number): Promise<void> {
    // Sequential per product: a change recognizes its own earlier attempt by the product's description.
    const previous = this.#restocking.get(sku) ?? Promise.resolve();
    const done = previous.then(() => this.#restock(sku, more));
    this.#restocking.set(sku, done);
    return done;
  }

  async #restock(sku: string, more: number): Promise<void> {
    const path = `/api/inventory/stock/${sku}`;
    const mark = `change ${++this.#actions}`;
    await this.#retry(async () => {
      const response = await this.backEnd.asStaff("inventory", path);
      if (response.status !== 200) return false;
      const { onHand, description } = (await response.json()) as {
        onHand: number;
        description: string;
      };
      const recordStock = () => this.stocked.set(sku, (this.stocked.get(sku) ?? 0) + more);
      // An earlier attempt succeeded, but its response was lost.
      if (description === mark) {
        recordStock();
        return true;
      }
      if (onHand + more < 0) return true;
      const put = await this.backEnd.asStaff("inventory", `/api/inventory/products/${sku}`, {
        method: "PUT",
        headers: { "if-match": response.headers.get("etag") ?? "" },
        body: JSON.stringify(productEdit(onHand + more, mark)),
      });
      if (put.ok) recordStock();
      // 409: the new stock would be less than the held quantity.
      return put.ok || put.status === 409;
    });
  }

  /** Dispatches or delivers the parcels of this round's orders. */
  async advanceParcels(action: "dispatch" | "deliver"): Promise<void> {
    for (const { id } of await this.#ordersWithRetry()) {
      await this.#retry(async () => {
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
        const advanced = await this.backEnd.asStaff(
          "shipping",
          `/api/shipping/shipments/${shipment.id}/${action}`,
          { method: "POST" },
        );
        return advanced.ok;
      });
    }
  }

  /** Cancels an order as soon as no replica processes it. */
  async cancel(key: string): Promise<void> {
    await this.#retry(async () => {
      const order = (await this.orders()).find((one) => one.key === key);
      if (order === undefined) return false;
      const path = `/api/orders/${order.id}/cancel`;
      const { ok } = await this.backEnd.asStaff("orders", path, { method: "POST" });
      return ok;
    });
  }

  /** Voids the payment of an order, as it happens when its authorisation lapses. */
  async voidPayment(key: string): Promise<void> {
    await this.#retry(async () => {
      const order = (await this.orders()).find((one) => one.key === key);
      if (order === undefined) return false;
      const path = `/internal/payments/${derivedIds(order.id).payment}/void`;
      const headers = { authorization: `Bearer ${callerToken}` };
      const { ok } = await this.backEnd.asStaff("billing", path, { method: "POST", headers });
      return ok;
    });
  }

  /** Refunds a share of each captured payment. Repeats the request under the same idempotency key until its outcome is known. */
  async refund(share: number): Promise<void> {
    const action = ++this.#actions;
    for (const { id, total } of await this.#ordersWithRetry()) {
      await this.#retry(async () => {
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
            headers: { "idempotency-key": `${this.name}-${action}-${id}` },
            body: JSON.stringify({ amount: { ...total, amount }, reason: "tests" }),
          },
        );
        if (refunded.status === 201)
          this.refunded.set(payment.id, (this.refunded.get(payment.id) ?? 0) + amount);
        // 409: the payment is already refunded.
        return refunded.status === 201 || refunded.status === 409;
      });
    }
  }

  /** Returns the orders of this round's products, including those whose client got no response. */
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

  /** Returns true if no order is pending. */
  async allOrdersEnded(): Promise<boolean> {
    return (await this.orders()).every(({ status }) => status !== "pending");
  }

  /** Waits, with the faults continuing, until all orders have ended or the time is over. */
  async keepFaultsUntilOrdersEnd(seconds: number): Promise<void> {
    const deadline = Date.now() + seconds * 1_000;
    while (Date.now() < deadline) {
      // The database may be away.
      if (this.orderClient.isIdle && (await this.allOrdersEnded().catch(() => false))) return;
      await delay(100);
    }
  }

  /**
   * Ends all faults, waits until all orders have ended, and checks the invariants.
   *
   * @param seconds Time within which every order must have ended.
   */
  async finish(seconds = RECOVERY_SECONDS): Promise<InvariantResults> {
    const { backEnd, orderClient, results } = this;
    await backEnd.recover();
    await Promise.all(this.#backgroundWork);
    await orderClient.settled();
    await backEnd.proxy.settled();
    const isSettled = async () =>
      (await this.allOrdersEnded()) &&
      (await this.#ordersReflectRefunds()) &&
      (await this.#ordersReflectShipments());
    // If this times out, an invariant is violated, and the checks report which one.
    await until("every order has ended", isSettled, seconds).catch(() => undefined);
    await checkInvariants(this);
    checkCallsAndLogs(this, await this.orders());
    return results;
  }

  /** Returns true if no order is still to be cancelled because everything was refunded. */
  async #ordersReflectRefunds(): Promise<boolean> {
    const orders = await this.orders();
    const ids = [orders.map(({ id }) => id)];
    const sagas = await this.backEnd
      .database("orders")
      .query("SELECT FROM sagas WHERE order_id = ANY($1)", ids);
    const refunded = await this.backEnd
      .database("billing")
      .query<{ order: string }>(
        `SELECT order_id AS "order" FROM payments WHERE order_id = ANY($1) AND refunded = amount`,
        ids,
      );
    const confirmed = orders.filter(({ status }) => status === "confirmed").map(({ id }) => id);
    return sagas.length === 0 && !refunded.some(({ order }) => confirmed.includes(order));
  }

  /** Returns true if each order has the status of its shipment. */
  async #ordersReflectShipments(): Promise<boolean> {
    const shipments = await this.backEnd
      .database("shipping")
      .query<{ order: string; status: string }>(
        `SELECT order_id AS "order", status FROM shipments WHERE status IN ('dispatched', 'delivered')`,
      );
    const orderStatus = { dispatched: "shipped", delivered: "delivered" } as Record<string, string>;
    const orders = new Map((await this.orders()).map(({ id, status }) => [id, status]));
    return shipments.every(
      ({ order, status }) => !orders.has(order) || orders.get(order) === orderStatus[status],
    );
  }

  async #ordersWithRetry(): Promise<readonly Order[]> {
    let orders: readonly Order[] = [];
    await this.#retry(async () => {
      orders = await this.orders();
      return true;
    });
    return orders;
  }

  /** Repeats work until it returns true, because a process or the database may be down. */
  async #retry(work: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + ACTION_SECONDS * 1_000;
    while (Date.now() < deadline) {
      if (await work().catch(() => false)) return;
      await delay(200);
    }
    throw new Error(`${this.name}: a staff action didn't succeed within ${ACTION_SECONDS} s`);
  }
}

function productEdit(onHand: number, description: string) {
  return {
    ...{ name: "Product", description, onHand },
    price: { amount: 1_250, currency: "AUD" },
  };
}
