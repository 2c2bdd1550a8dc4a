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
import { Pause } from "./wakeableTimer.ts";
import type { OrderStatus } from "./schemas.ts";

/** Changes that shipping is asked for at once. */
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
  /** How often shipping is asked, by all replicas together, in milliseconds. */
  readonly pollMs: number;
}

/** Brings to the orders what has become of their parcels. */
export class ShippingFollower {
  readonly #options: FollowerOptions;
  readonly #pause = new Pause();
  #stopping = false;
  #away = false;
  #following: Promise<void> | undefined;

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#following = this.#followOnAndOn();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#pause.ring();
    await this.#following;
  }

  /** How many seconds ago some replica had taken all of shipping's changes. */
  async lag(): Promise<number> {
    const [cursor] = await this.#options.database.query<{ seconds: number }>(readLag);
    if (cursor === undefined) throw new Error("the cursor's row is gone");
    return cursor.seconds;
  }

  async #followOnAndOn(): Promise<void> {
    while (!this.#stopping) {
      try {
        await this.#follow();
        this.#away = false;
      } catch (error) {
        this.#logFailure(error);
      }
      await this.#pause.rest(this.#options.pollMs);
    }
  }

  /** Takes all changes that there are, if it is our turn to. */
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
    if (changes === undefined) throw new Error("shipping's answer isn't what its document says");
    return changes;
  }

  /**
   * In one transaction with the cursor, so that each change counts once, also when two replicas have the same page: both
   * take its changes in their order, and for each the cursor lets one of them pass.
   */
  async #apply({ change, order, status, at }: Change): Promise<void> {
    await this.#options.database.transaction(async (transaction) => {
      const passed = await transaction.query(passCursor, [change]);
      if (passed.length === 0) return;
      // A parcel on its way proves that every step is done, also when we haven't heard of the last one yet.
      await transaction.query("DELETE FROM sagas WHERE order_id = $1", [order]);
      const [kept] = await transaction.query<{ status: OrderStatus }>(
        "SELECT status FROM orders WHERE id = $1 FOR UPDATE",
        [order],
      );
      for (const next of missing(kept?.status, status === "dispatched" ? "shipped" : "delivered")) {
        await transaction.query(setStatus, [order, next, at]);
      }
    });
  }

  #logFailure(error: unknown): void {
    // The kit has logged that the database is away.
    if (error instanceof DatabaseUnavailable) return;
    if (!(error instanceof UpstreamError)) {
      this.#options.log.error({ err: error }, "Shipping's changes couldn't be followed");
    } else if (!this.#away) {
      this.#away = true;
      this.#options.log.warn(`${error.message}: its changes are followed later`);
    }
  }
}

/** The statuses that an order comes through from `status` to `target`. An order of which we know nothing has none. */
function missing(status: OrderStatus | undefined, target: OrderStatus): readonly OrderStatus[] {
  const way: readonly OrderStatus[] = ["confirmed", "shipped", "delivered"];
  if (status === undefined || status === "cancelled") return [];
  return way.slice(way.indexOf(status) + 1, way.indexOf(target) + 1);
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
