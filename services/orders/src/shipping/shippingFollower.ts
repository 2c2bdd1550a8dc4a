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

/** The last change that was applied: its number, or 0 for none, and its content as {@link contentOf} returns it. */
interface Cursor {
  readonly change: number;
  readonly seen: string | null;
}

const START: Cursor = { change: 0, seen: null };

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
    const [turn] = await database.query<Cursor & Record<string, unknown>>(takeTurn, [pollMs]);
    let cursor: Cursor | undefined = turn;
    while (cursor !== undefined && !this.#stopping) {
      const changes = await this.#changesSince(cursor);
      if (changes === undefined) {
        cursor = await this.#startOver(cursor);
        continue;
      }
      for (const change of changes) {
        await this.#apply(cursor, change);
        cursor = { change: change.change, seen: contentOf(change) };
      }
      if (changes.length >= PAGE) continue;
      await database.query(noteCaughtUp);
      return;
    }
  }

  /**
   * Returns the changes after the cursor. Undefined if shipping has another change under the cursor's number, or none: its database was
   * restored or replaced, and gives the numbers up to the cursor's again.
   */
  async #changesSince({ change, seen }: Cursor): Promise<readonly Change[] | undefined> {
    if (change === 0) return this.#changesAfter(0, PAGE);
    const [last, ...changes] = await this.#changesAfter(change - 1, PAGE + 1);
    if (last?.change !== change) return undefined;
    // The previous release moves the cursor without its content.
    const isKnown = seen?.startsWith(`${change} `) ?? false;
    return isKnown && seen !== contentOf(last) ? undefined : changes;
  }

  /** Lets all changes be applied again. Each order takes only the statuses that it hasn't had. */
  async #startOver(cursor: Cursor): Promise<Cursor> {
    this.#options.log.warn(
      `shipping has another change ${cursor.change} than before: its database was restored or replaced; applying all its changes again`,
    );
    await this.#options.database.query(resetCursor, [cursor.change]);
    return START;
  }

  async #changesAfter(after: number, limit: number): Promise<readonly Change[]> {
    const { data } = await this.#options.shipping.GET("/internal/shipments/changes", {
      params: { query: { after, limit } },
    });
    const changes = readChanges(data)?.items;
    if (changes === undefined)
      throw new Error("shipping's answer doesn't match its OpenAPI document");
    return changes;
  }

  /**
   * Applies a change in one transaction with the cursor, so that each change is applied once even if two replicas have the
   * same page: both apply the changes in order, and the cursor accepts each change from one replica only.
   *
   * @param before The cursor before this change. A replica whose page is older than a new start applies nothing of it.
   */
  async #apply(before: Cursor, applied: Change): Promise<void> {
    const { change, order, status, at } = applied;
    await this.#options.database.transaction(async (transaction) => {
      const values = [before.change, change, contentOf(applied)];
      const passed = await transaction.query(passCursor, values);
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

/** Everything that tells a change from another one that gets its number after a restoration. */
function contentOf({ change, order, status, at }: Change): string {
  return `${change} ${order} ${status} ${at}`;
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
  WHERE due_at <= now() RETURNING change, seen`;

const noteCaughtUp = "UPDATE shipping_cursor SET caught_up_at = now()";

const readLag =
  "SELECT extract(epoch FROM now() - caught_up_at)::float8 AS seconds FROM shipping_cursor";

const passCursor =
  "UPDATE shipping_cursor SET change = $2, seen = $3 WHERE change = $1 RETURNING change";

const resetCursor = "UPDATE shipping_cursor SET change = 0, seen = NULL WHERE change = $1";

const setStatus = `
  WITH changed AS (UPDATE orders SET status = $2, reason = NULL WHERE id = $1 RETURNING id)
  INSERT INTO order_history (order_id, status, at) SELECT id, $2::text, $3::timestamptz FROM changed`;
