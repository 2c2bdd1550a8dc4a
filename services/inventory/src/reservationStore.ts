import { isDeepStrictEqual } from "node:util";
import { problem, type Database, type Problem, type Queryable } from "@store/kit";
import type { Lines, Reservation } from "./schemas.ts";

/** What became of a reservation, for the metrics. */
export type Outcome = "held" | "committed" | "cancelled" | "expired";

interface Options {
  /** Seconds for which a hold keeps its stock. */
  readonly seconds: number;
  /** Is told of each change after it is durable, and not of calls that were only repeated. */
  readonly changed: (outcome: Outcome) => void;
}

/**
 * The reservations in the database. Each method is one transaction and may be repeated.
 *
 * None of them can deadlock: each locks its reservation first and then the products in the order of their SKUs, and whoever
 * has a product locked waits for no reservation.
 */
export class ReservationStore {
  readonly #database: Database;
  readonly #options: Options;

  constructor(database: Database, options: Options) {
    this.#database = database;
    this.#options = options;
  }

  /**
   * Holds all lines or none.
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
        await take(transaction, lines);
        return { answer: toReservation(added), outcome: "held" };
      }
      const found = await lock(transaction, id);
      if (found === undefined) throw new Error("a reservation that is there can't be found");
      if (found.status === "cancelled") throw cancelled(id);
      if (!isDeepStrictEqual(found.lines, bySku)) throw differs(id);
      if (found.status === "committed" || !found.overdue) return { answer: toReservation(found) };

      // Where the sweep hasn't come to it, the stock is still its own.
      if (found.status === "expired") await take(transaction, lines);
      const [again] = await transaction.query<ReservationRow>(
        `UPDATE reservations SET status = 'held', expires_at = now() + make_interval(secs => $2), updated_at = now()
         WHERE id = $1 RETURNING ${columns}`,
        [id, this.#options.seconds],
      );
      if (again === undefined) throw new Error("a reservation that is locked can't be changed");
      return { answer: toReservation(again), ...(found.status === "expired" && heldAgain) };
    });
  }

  /**
   * Takes the goods out of the stock, for good.
   *
   * @throws Problem 404, 409 `reservation-cancelled`, or 409 `out-of-stock` when it expired and was sold meanwhile.
   */
  async commit(id: string): Promise<{ readonly id: string; readonly status: "committed" }> {
    return this.#change(async (transaction) => {
      const answer = { id, status: "committed" } as const;
      const found = await lock(transaction, id);
      if (found === undefined) throw problem(404, `There is no reservation ${id}.`);
      if (found.status === "committed") return { answer };
      if (found.status === "cancelled") throw cancelled(id);
      if (found.status === "expired") await take(transaction, found.lines);
      await change(
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
   * Gives the stock back, and leaves a tombstone that refuses whatever comes late for this id, also where nothing is known of
   * it yet.
   *
   * @throws Problem 409 `reservation-committed`.
   */
  async cancel(id: string): Promise<{ readonly id: string; readonly status: "cancelled" }> {
    return this.#change(async (transaction) => {
      const answer = { id, status: "cancelled" } as const;
      const added = await transaction.query(
        "INSERT INTO reservations (id, status, lines) VALUES ($1, 'cancelled', '[]') ON CONFLICT DO NOTHING RETURNING id",
        [id],
      );
      if (added.length > 0) return { answer, outcome: "cancelled" };
      const found = await lock(transaction, id);
      if (found === undefined) throw new Error("a reservation that is there can't be found");
      if (found.status === "cancelled") return { answer };
      if (found.status === "committed") {
        throw problem(409, `The reservation ${id} is committed.`, {
          type: "reservation-committed",
        });
      }
      if (found.status === "held") await release(transaction, found.lines);
      await transaction.query(
        `UPDATE reservations SET status = 'cancelled', lines = '[]', expires_at = NULL, updated_at = now()
         WHERE id = $1`,
        [id],
      );
      return { answer, outcome: "cancelled" };
    });
  }

  /** Gives back the stock of one hold that has lasted too long and that nobody else is working on. False: there is none. */
  async expireOne(): Promise<boolean> {
    return this.#change(async (transaction) => {
      const [due] = await transaction.query<ReservationRow>(
        `SELECT ${columns} FROM reservations WHERE status = 'held' AND expires_at <= now()
         ORDER BY expires_at LIMIT 1 FOR UPDATE SKIP LOCKED`,
      );
      if (due === undefined) return { answer: false };
      await release(transaction, due.lines);
      await transaction.query(
        "UPDATE reservations SET status = 'expired', expires_at = NULL, updated_at = now() WHERE id = $1",
        [due.id],
      );
      return { answer: true, outcome: "expired" };
    });
  }

  /** Reservations that hold stock now. */
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
  /** Its time is over, whether the sweep has come to it or not. */
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

/** Takes the lines' stock. The condition is in the update itself, so that it holds whatever happens around it. */
async function take(transaction: Queryable, lines: Lines): Promise<void> {
  const { there, changed } = await change(
    transaction,
    lines,
    "held = held + quantity",
    "AND on_hand - held >= quantity",
  );
  if (changed < lines.length) throw outOfStock(lines, there);
}

async function release(transaction: Queryable, lines: Lines): Promise<void> {
  await change(transaction, lines, "held = held - quantity");
}

/** Changes the lines' products. An update locks rows as it finds them, so they are locked before, in the order of their SKUs. */
async function change(
  transaction: Queryable,
  lines: Lines,
  assignments: string,
  condition = "",
): Promise<{ readonly there: ReadonlyMap<string, number>; readonly changed: number }> {
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
    there: new Map(locked.map(({ sku, available }) => [sku, available])),
    changed: changed.length,
  };
}

function outOfStock(lines: Lines, there: ReadonlyMap<string, number>): Problem {
  const errors = lines.flatMap(({ sku, quantity }, line) => {
    const at = (field: string, message: string) => [
      { in: "body" as const, pointer: `/lines/${line}/${field}`, message },
    ];
    const available = there.get(sku);
    if (available === undefined) return at("sku", `there is no product ${sku}`);
    return available < quantity ? at("quantity", `only ${available} of ${sku} are there`) : [];
  });
  return problem(409, "Not all of this is there.", { type: "out-of-stock", errors });
}

function cancelled(id: string): Problem {
  return problem(409, `The reservation ${id} is cancelled.`, { type: "reservation-cancelled" });
}

function differs(id: string): Problem {
  return problem(422, `The reservation ${id} was made with other lines.`, {
    type: "reservation-differs",
    errors: [{ in: "body", pointer: "/lines", message: "are other lines than before" }],
  });
}

function toReservation({ id, status, expires_at }: ReservationRow): Reservation {
  if (status !== "held" && status !== "committed") throw new Error(`${id} is ${status}`);
  return { id, status, expiresAt: expires_at?.toISOString() ?? null };
}
