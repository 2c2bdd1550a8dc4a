import {
  DatabaseUnavailable,
  UpstreamError,
  type Database,
  type Log,
  type Queryable,
} from "@store/kit";
import { WakeableTimer } from "../wakeableTimer.ts";

/** Maximum number of changes per request. */
const PAGE = 100;

/** A change of another service's resource. */
interface NumberedChange {
  /** Sequence number. Numbers have no gaps. */
  readonly change: number;
}

/** The changes of another service, and their consequences for orders. */
export interface ChangeFeed<Change extends NumberedChange> {
  /** Name of the service. The table NAME_cursor has the last change that was applied. */
  readonly service: "shipping" | "billing";
  /** Reads up to `limit` changes with greater numbers than `after`, in their order. */
  readonly read: (after: number, limit: number) => Promise<readonly Change[]>;
  /** Returns everything that tells a change from another one that gets its number after a restoration. */
  readonly contentOf: (change: Change) => string;
  /**
   * Applies a change to its order. A change may be applied again after a restoration of the service.
   *
   * @throws OrderBusy if a worker is processing the order, or its cancellation has just begun. The change is applied by a later poll.
   */
  readonly apply: (transaction: Queryable, change: Change) => Promise<void>;
  /** Called after each poll that has applied all changes. @default nothing */
  readonly afterPoll?: () => Promise<void>;
}

/** A change can't be applied now, because the order is being processed. */
export class OrderBusy extends Error {
  override readonly name = "OrderBusy";
}

/** The last change that was applied: its number, or 0 for none, and its content. */
interface Cursor {
  readonly change: number;
  readonly seen: string | null;
}

const START: Cursor = { change: 0, seen: null };

interface FollowerOptions<Change extends NumberedChange> {
  readonly feed: ChangeFeed<Change>;
  readonly database: Database;
  readonly log: Log;
  /** Interval between two polls by all replicas together, in milliseconds. */
  readonly pollMs: number;
}

/** Polls the changes of another service and applies them to the orders. */
export class ChangeFollower<Change extends NumberedChange> {
  readonly #options: FollowerOptions<Change>;
  readonly #statements: Statements;
  readonly #timer = new WakeableTimer();
  #stopping = false;
  #unreachable = false;
  #following: Promise<void> | undefined;

  constructor(options: FollowerOptions<Change>) {
    this.#options = options;
    this.#statements = statementsFor(`${options.feed.service}_cursor`);
  }

  start(): void {
    this.#following = this.#followUntilStopped();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#timer.notify();
    await this.#following;
  }

  /** Seconds since a replica last had applied all changes. */
  async lag(): Promise<number> {
    const { readLag } = this.#statements;
    const [cursor] = await this.#options.database.query<{ seconds: number }>(readLag);
    if (cursor === undefined) throw new Error("the table of the cursor has no row");
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
    const { database, feed, pollMs } = this.#options;
    const { takeTurn, noteCaughtUp } = this.#statements;
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
        cursor = { change: change.change, seen: feed.contentOf(change) };
      }
      if (changes.length >= PAGE) continue;
      await feed.afterPoll?.();
      await database.query(noteCaughtUp);
      return;
    }
  }

  /**
   * Returns the changes after the cursor. Undefined if the service has another change under the cursor's number, or none: its database was
   * restored or replaced, and gives the numbers up to the cursor's again.
   */
  async #changesSince({ change, seen }: Cursor): Promise<readonly Change[] | undefined> {
    const { feed } = this.#options;
    if (change === 0) return feed.read(0, PAGE);
    const [last, ...changes] = await feed.read(change - 1, PAGE + 1);
    if (last?.change !== change) return undefined;
    // The previous release moves shipping's cursor without its content.
    const isKnown = seen?.startsWith(`${change} `) ?? false;
    return isKnown && seen !== feed.contentOf(last) ? undefined : changes;
  }

  /** Lets all changes be applied again. */
  async #startOver(cursor: Cursor): Promise<Cursor> {
    const { log, database, feed } = this.#options;
    log.warn(
      `${feed.service} has another change ${cursor.change} than before: its database was restored or replaced; applying all its changes again`,
    );
    await database.query(this.#statements.resetCursor, [cursor.change]);
    return START;
  }

  /**
   * Applies a change in one transaction with the cursor, so that each change is applied once even if two replicas have the
   * same page: both apply the changes in order, and the cursor accepts each change from one replica only.
   *
   * @param before The cursor before this change. A replica whose page is older than a new start applies nothing of it.
   */
  async #apply(before: Cursor, change: Change): Promise<void> {
    const { database, feed } = this.#options;
    await database.transaction(async (transaction) => {
      const values = [before.change, change.change, feed.contentOf(change)];
      const passed = await transaction.query(this.#statements.passCursor, values);
      if (passed.length > 0) await feed.apply(transaction, change);
    });
  }

  #logFailure(error: unknown): void {
    // The kit has already logged that the database is unreachable. A busy order is free in a moment.
    if (error instanceof DatabaseUnavailable || error instanceof OrderBusy) return;
    const { log, feed } = this.#options;
    if (!(error instanceof UpstreamError)) {
      log.error({ err: error }, `Failed to apply the changes of ${feed.service}`);
    } else if (!this.#unreachable) {
      this.#unreachable = true;
      log.warn(`${error.message}: will poll its changes again later`);
    }
  }
}

type Statements = ReturnType<typeof statementsFor>;

function statementsFor(table: `${string}_cursor`) {
  return {
    takeTurn: `
      UPDATE ${table} SET due_at = now() + $1 * interval '1 millisecond'
      WHERE due_at <= now() RETURNING change, seen`,
    noteCaughtUp: `UPDATE ${table} SET caught_up_at = now()`,
    readLag: `SELECT extract(epoch FROM now() - caught_up_at)::float8 AS seconds FROM ${table}`,
    passCursor: `UPDATE ${table} SET change = $2, seen = $3 WHERE change = $1 RETURNING change`,
    resetCursor: `UPDATE ${table} SET change = 0, seen = NULL WHERE change = $1`,
  };
}
