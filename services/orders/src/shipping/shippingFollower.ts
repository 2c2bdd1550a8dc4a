import {
  DatabaseUnavailable,
  createParser,
  Type,
  UpstreamError,
  type Client,
  type Database,
  type Log,
  type Static,
} from "@store/kit";
import type { paths as ShippingPaths } from "@store/contracts/internal/shipping";
import { WakeableTimer } from "../wakeableTimer.ts";
import type { OrderStatus } from "../orders/schemas.ts";

/** Maximum number of changes per request to shipping. */
const PAGE = 100;

const Change = Type.Object({
  change: Type.Integer(),
  order: Type.String(),
  status: Type.Enum(["dispatched", "delivered"]),
  at: Type.String({ format: "date-time" }),
});
type Change = Static<typeof Change>;
const readChanges = createParser(Type.Object({ items: Type.Array(Change) }));

interface FollowerOptions {
  readonly database: Database;
  readonly shipping: Client<ShippingPaths>;
  readonly log: Log;
  /** Interval between two polls of shipping by all replicas together, in milliseconds. */
  readonly pollMs: number;
}

/** Polls shipping's changes and updates the status of the orders. */
export class ShippingFollower {
  readonly #options: FollowerOptions;
  readonly #timer = new WakeableTimer();
  #stopping = false;
  #unreachable = false;
  #following: Promise<void> | undefined;

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#following = this.#followUntilStopped();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#timer.notify();
    await this.#following;
  }

  /** Seconds since a replica last had applied all of shipping's changes. */
  async lag(): Promise<number> {
    const [cursor] = await this.#options.database.query<{ seconds: number }>(readLag);
    if (cursor === undefined) throw new Error("the table shipping_cursor has no row");
    return cursor.seconds;
  }

  async #followUntilStopped(): Promise<void> {
    while (!this.#stopping) {
      try {
        await this.#follow();
        this.#unreachable = false;
      } catch (error) {
        this.#logFailure(error);
      }
      await this.#timer.wait(this.#options.pollMs);
    }
  }

  /** Applies all new changes, unless another replica has polled within the interval. */
  async #follow(): Promise<void> {
    const { database, pollMs } = this.#options;
    const [turn] = await database.query<{ change: number }>(takeTurn, [pollMs]);
    let after = turn?.change;
    while (after !== undefined && !this.#stopping) {
      const changes = await this.#changesAfter(after);
      for (const change of changes) await this.#apply(change);
      after = changes.length < PAGE ? undefined : changes.at(-1)?.change;
      if (after === undefined) await database.query(noteCaughtUp);
    }
  }

  async #changesAfter(after: number): Promise<readonly Change[]> {
    const { data } = await this.#options.shipping.GET("/internal/shipments/changes", {
      params: { query: { after, limit: PAGE } },
    });
    const changes = readChanges(data)?.items;
    if (changes === undefined)
      throw new Error("shipping's answer doesn't match its OpenAPI document");
    return changes;
  }

  /**
   * Applies a change in one transaction with the cursor, so that each change is applied once even if two replicas have the
   * same page: both apply the changes in order, and the cursor accepts each change from one replica only.
   */
  async #apply({ change, order, status, at }: Change): Promise<void> {
    await this.#options.database.transaction(async (transaction) => {
      const passed = await transaction.query(passCursor, [change]);
      if (passed.length === 0) return;
      // A dispatched parcel proves that every step is done, even if the answer to the last one hasn't arrived.
      await transaction.query("DELETE FROM sagas WHERE order_id = $1", [order]);
      const [kept] = await transaction.query<{ status: OrderStatus }>(
        "SELECT status FROM orders WHERE id = $1 FOR UPDATE",
        [order],
      );
      for (const next of statusesUntil(
        kept?.status,
        status === "dispatched" ? "shipped" : "delivered",
      )) {
        await transaction.query(setStatus, [order, next, at]);
      }
    });
  }

  #logFailure(error: unknown): void {
    // The kit has already logged that the database is unreachable.
    if (error instanceof DatabaseUnavailable) return;
    if (!(error instanceof UpstreamError)) {
      this.#options.log.error({ err: error }, "Failed to apply shipping's changes");
    } else if (!this.#unreachable) {
      this.#unreachable = true;
      this.#options.log.warn(`${error.message}: will poll its changes again later`);
    }
  }
}

/** The statuses after `status` up to and including `target`. Empty for an unknown or cancelled order. */
function statusesUntil(
  status: OrderStatus | undefined,
  target: OrderStatus,
): readonly OrderStatus[] {
  const sequence: readonly OrderStatus[] = ["confirmed", "shipped", "delivered"];
  if (status === undefined || status === "cancelled") return [];
  return sequence.slice(sequence.indexOf(status) + 1, sequence.indexOf(target) + 1);
}

const takeTurn = `
  UPDATE shipping_cursor SET due_at = now() + $1 * interval '1 millisecond'
  WHERE due_at <= now() RETURNING change`;

const noteCaughtUp = "UPDATE shipping_cursor SET caught_up_at = now()";

const readLag =
  "SELECT extract(epoch FROM now() - caught_up_at)::float8 AS seconds FROM shipping_cursor";

const passCursor = "UPDATE shipping_cursor SET change = $1 WHERE change < $1 RETURNING change";

const setStatus = `
  WITH changed AS (UPDATE orders SET status = $2, reason = NULL WHERE id = $1 RETURNING id)
  INSERT INTO order_history (order_id, status, at) SELECT id, $2::text, $3::timestamptz FROM changed`;
