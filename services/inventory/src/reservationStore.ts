import { isDeepStrictEqual } from "node:util";
import { problem, type Database, type Problem, type Queryable } from "@store/kit";
import type { Lines, Reservation } from "./schemas.ts";

/** A change of a reservation's status, as counted by the metrics. */
export type Outcome = "held" | "committed" | "cancelled" | "returned" | "expired";

interface Options {
  /** Seconds until a hold expires. */
  readonly seconds: number;
  /** Called after each committed change, but not for repeated calls that change nothing. */
  readonly changed: (outcome: Outcome) => void;
}

/**
 * The reservations in the database. Each method is one idempotent transaction.
 *
 * The methods can't deadlock: each locks its reservation first and then the products in the order of their SKUs, and no transaction
 * waits for a reservation while it holds the lock of a product.
 */
export class ReservationStore {
  readonly #database: Database;
  readonly #options: Options;

  constructor(database: Database, options: Options) {
    this.#database = database;
    this.#options = options;
  }

  /**
   * Holds stock for all lines or for none. A repeated call returns the existing hold, or renews an expired one.
   *
   * @throws Problem 409 `out-of-stock` or `reservation-cancelled`, 422 `reservation-differs`.
   */
  async hold(id: string, lines: Lines): Promise<Reservation> {
    const bySku = lines.toSorted((one, other) => (one.sku < other.sku ? -1 : 1));
    return this.#change(async (transaction) => {
      const [added] = await transaction.query<ReservationRow>(
        `INSERT INTO reservations (id, status, lines, expires_at)
         VALUES ($1, 'held', $2, now() + make_interval(secs => $3))
         ON CONFLICT DO NOTHING RETURNING ${columns}`,
        [id, JSON.stringify(bySku), this.#options.seconds],
      );
      if (added !== undefined) {
        await holdStock(transaction, lines);
        return { answer: toReservation(added), outcome: "held" };
      }
      const found = await lock(transaction, id);
      if (found === undefined) throw new Error(`Reservation ${id} exists but isn't found`);
      if (found.status === "cancelled") throw cancelled(id);
      if (!isDeepStrictEqual(found.lines, bySku)) throw differs(id);
      if (found.status === "committed" || !found.overdue) return { answer: toReservation(found) };

      // An overdue hold that the sweep hasn't expired yet still holds its stock.
      if (found.status === "expired") await holdStock(transaction, lines);
      const [again] = await transaction.query<ReservationRow>(
        `UPDATE reservations SET status = 'held', expires_at = now() + make_interval(secs => $2), updated_at = now()
         WHERE id = $1 RETURNING ${columns}`,
        [id, this.#options.seconds],
      );
      if (again === undefined) throw new Error(`Reservation ${id} is locked but isn't updated`);
      return { answer: toReservation(again), ...(found.status === "expired" && heldAgain) };
    });
  }

  /**
   * Removes the reserved goods from the stock permanently.
   *
   * @throws Problem 404, 409 `reservation-cancelled`, or 409 `out-of-stock` if the hold expired and its stock was sold.
   */
  async commit(id: string): Promise<{ readonly id: string; readonly status: "committed" }> {
    return this.#change(async (transaction) => {
      const answer = { id, status: "committed" } as const;
      const found = await lock(transaction, id);
      if (found === undefined) throw problem(404, `There is no reservation ${id}.`);
      if (found.status === "committed") return { answer };
      if (found.status === "cancelled") throw cancelled(id);
      if (found.status === "expired") await holdStock(transaction, found.lines);
      await changeProducts(
        transaction,
        found.lines,
        "on_hand = on_hand - quantity, held = held - quantity, version = version + 1, updated_at = now()",
      );
      await transaction.query(
        "UPDATE reservations SET status = 'committed', expires_at = NULL, updated_at = now() WHERE id = $1",
        [id],
      );
      return { answer, outcome: "committed" };
    });
  }

  /**
   * Releases the stock and leaves a tombstone that rejects later calls for this id. Also works for an unknown id, whose hold may still be
   * on its way.
   *
   * @throws Problem 409 `reservation-committed`.
   */
  async cancel(id: string): Promise<{ readonly id: string; readonly status: "cancelled" }> {
    return this.#end(id, ({ id }) => {
      throw problem(409, `The reservation ${id} is committed.`, { type: "reservation-committed" });
    });
  }

  /** Puts the goods of a committed reservation back into the stock. Otherwise the same as {@link cancel}. */
  async return(id: string): Promise<{ readonly id: string; readonly status: "cancelled" }> {
    return this.#end(id, async ({ lines }, transaction) => {
      await changeProducts(
        transaction,
        lines,
        "on_hand = on_hand + quantity, version = version + 1, updated_at = now()",
      );
    });
  }

  async #end(
    id: string,
    endCommitted: (found: ReservationRow, transaction: Queryable) => void | Promise<void>,
  ): Promise<{ readonly id: string; readonly status: "cancelled" }> {
    return this.#change(async (transaction) => {
      const answer = { id, status: "cancelled" } as const;
      const added = await transaction.query(
        "INSERT INTO reservations (id, status, lines) VALUES ($1, 'cancelled', '[]') ON CONFLICT DO NOTHING RETURNING id",
        [id],
      );
      if (added.length > 0) return { answer, outcome: "cancelled" };
      const found = await lock(transaction, id);
      if (found === undefined) throw new Error(`Reservation ${id} exists but isn't found`);
      if (found.status === "cancelled") return { answer };
      if (found.status === "committed") await endCommitted(found, transaction);
      if (found.status === "held") await releaseStock(transaction, found.lines);
      await transaction.query(
        `UPDATE reservations SET status = 'cancelled', lines = '[]', expires_at = NULL, updated_at = now()
         WHERE id = $1`,
        [id],
      );
      return { answer, outcome: found.status === "committed" ? "returned" : "cancelled" };
    });
  }

  /** Expires one overdue hold that isn't locked, and releases its stock. Returns false if there is none. */
  async expireOne(): Promise<boolean> {
    return this.#change(async (transaction) => {
      const [due] = await transaction.query<ReservationRow>(
        `SELECT ${columns} FROM reservations WHERE status = 'held' AND expires_at <= now()
         ORDER BY expires_at LIMIT 1 FOR UPDATE SKIP LOCKED`,
      );
      if (due === undefined) return { answer: false };
      await releaseStock(transaction, due.lines);
      await transaction.query(
        "UPDATE reservations SET status = 'expired', expires_at = NULL, updated_at = now() WHERE id = $1",
        [due.id],
      );
      return { answer: true, outcome: "expired" };
    });
  }

  /** Returns the number of reservations that currently hold stock. */
  async countHeld(): Promise<number> {
    const [row] = await this.#database.query<{ count: number }>(
      "SELECT count(*) FROM reservations WHERE status = 'held'",
    );
    return row?.count ?? 0;
  }

  async #change<T>(
    work: (transaction: Queryable) => Promise<{ readonly answer: T; readonly outcome?: Outcome }>,
  ): Promise<T> {
    const { answer, outcome } = await this.#database.transaction(work);
    if (outcome !== undefined) this.#options.changed(outcome);
    return answer;
  }
}

const heldAgain = { outcome: "held" } as const;

interface ReservationRow {
  readonly id: string;
  readonly status: "held" | "committed" | "cancelled" | "expired";
  readonly lines: Lines;
  readonly expires_at: Date | null;
  /** The hold has passed its expiry, whether or not the sweep has expired it. */
  readonly overdue: boolean;
}

const columns =
  "id, status, lines, expires_at, status = 'expired' OR coalesce(expires_at <= now(), false) AS overdue";

async function lock(transaction: Queryable, id: string): Promise<ReservationRow | undefined> {
  const [row] = await transaction.query<ReservationRow>(
    `SELECT ${columns} FROM reservations WHERE id = $1 FOR UPDATE`,
    [id],
  );
  return row;
}

/** Holds the lines' stock. The condition is part of the UPDATE, so that concurrent transactions can't oversell. */
async function holdStock(transaction: Queryable, lines: Lines): Promise<void> {
  const { available, changed } = await changeProducts(
    transaction,
    lines,
    "held = held + quantity",
    "AND on_hand - held >= quantity",
  );
  if (changed < lines.length) throw outOfStock(lines, available);
}

async function releaseStock(transaction: Queryable, lines: Lines): Promise<void> {
  await changeProducts(transaction, lines, "held = held - quantity");
}

/** Updates the lines' products. Locks them first in the order of their SKUs, because an UPDATE locks rows in an arbitrary order. */
async function changeProducts(
  transaction: Queryable,
  lines: Lines,
  assignments: string,
  condition = "",
): Promise<{ readonly available: ReadonlyMap<string, number>; readonly changed: number }> {
  const locked = await transaction.query<{ sku: string; available: number }>(
    "SELECT sku, on_hand - held AS available FROM products WHERE sku = ANY($1) ORDER BY sku FOR UPDATE",
    [lines.map(({ sku }) => sku)],
  );
  const changed = await transaction.query(
    `UPDATE products SET ${assignments}
     FROM jsonb_to_recordset($1) AS line (sku text, quantity integer)
     WHERE products.sku = line.sku ${condition} RETURNING products.sku`,
    [JSON.stringify(lines)],
  );
  return {
    available: new Map(locked.map(({ sku, available }) => [sku, available])),
    changed: changed.length,
  };
}

function outOfStock(lines: Lines, availableBySku: ReadonlyMap<string, number>): Problem {
  const errors = lines.flatMap(({ sku, quantity }, line) => {
    const at = (field: string, message: string) => [
      { in: "body" as const, pointer: `/lines/${line}/${field}`, message },
    ];
    const available = availableBySku.get(sku);
    if (available === undefined) return at("sku", `there is no product ${sku}`);
    return available < quantity ? at("quantity", `only ${available} of ${sku} available`) : [];
  });
  return problem(409, "Some of the products are out of stock.", { type: "out-of-stock", errors });
}

function cancelled(id: string): Problem {
  return problem(409, `The reservation ${id} is cancelled.`, { type: "reservation-cancelled" });
}

function differs(id: string): Problem {
  return problem(422, `The reservation ${id} was made with other lines.`, {
    type: "reservation-differs",
    errors: [{ in: "body", pointer: "/lines", message: "differ from the reservation's lines" }],
  });
}

function toReservation({ id, status, expires_at }: ReservationRow): Reservation {
  if (status !== "held" && status !== "committed") throw new Error(`${id} is ${status}`);
  return { id, status, expiresAt: expires_at?.toISOString() ?? null };
}
