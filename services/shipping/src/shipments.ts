import { problem, type Database, type Problem, type Queryable } from "@store/kit";
import type {
  Shipment,
  ShipmentChange,
  ShipmentReceipt,
  ShipmentRequest,
  ShipmentStatus,
} from "./schemas.ts";

interface Filter {
  readonly order?: string;
  readonly status?: ShipmentStatus;
  /** The last shipment of the page before. */
  readonly after?: string;
  readonly limit: number;
}

/** The shipments in the database. */
export class Shipments {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Makes a shipment, once for each id and once for each order. */
  async create(id: string, request: ShipmentRequest): Promise<ShipmentReceipt> {
    const { order, recipient, lines } = request;
    const values = [id, order, JSON.stringify(recipient), JSON.stringify(lines)];
    // Waits for whoever is making the same one right now.
    await this.#database.query(
      `INSERT INTO shipments (id, order_id, recipient, lines) VALUES ($1, $2, $3, $4)
       ON CONFLICT DO NOTHING`,
      values,
    );
    const [shipment] = await this.#database.query<{ status: ShipmentStatus; same: boolean }>(
      `SELECT status, order_id = $2
         AND recipient IS NOT DISTINCT FROM $3::jsonb AND lines = $4::jsonb AS same
       FROM shipments WHERE id = $1`,
      values,
    );
    if (shipment === undefined) {
      throw problem(409, `Order ${order} has a shipment already.`, {
        type: "order-already-shipped",
      });
    }
    if (!shipment.same) {
      throw problem(422, `Shipment ${id} was asked for with another order, recipient or lines.`, {
        type: "shipment-differs",
      });
    }
    return { id, status: shipment.status };
  }

  async find(id: string): Promise<Shipment> {
    const [row] = await this.#database.query<ShipmentRow>(`${selectShipments} WHERE id = $1`, [id]);
    if (row === undefined) throw unknown(id);
    return toShipment(row);
  }

  /** Oldest first. */
  async list({ order, status, after, limit }: Filter): Promise<{
    readonly items: Shipment[];
    readonly next: string | null;
  }> {
    // One more than is shown tells whether there is a next page.
    const values: unknown[] = [limit + 1];
    // A statement for each set of conditions, so that each has a plan of its own.
    const conditions = [
      order !== undefined && `order_id = $${values.push(order)}`,
      status !== undefined && `status = $${values.push(status)}`,
      after !== undefined &&
        `(created_at, id) > (SELECT created_at, id FROM shipments WHERE id = $${values.push(after)})`,
    ].filter((condition) => condition !== false);
    const rows = await this.#database.query<ShipmentRow>(
      `${selectShipments} WHERE ${["true", ...conditions].join(" AND ")}
       ORDER BY created_at, id LIMIT $1`,
      values,
    );
    const items = rows.slice(0, limit).map(toShipment);
    return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
  }

  /** It has left. Said again, it changes nothing. */
  async dispatch(id: string): Promise<Shipment> {
    return this.#move(id, {
      sql: `UPDATE shipments SET status = 'dispatched', dispatched_at = greatest(now(), created_at)
            WHERE id = $1 AND status = 'pending' RETURNING dispatched_at AS at`,
      status: "dispatched",
    });
  }

  /** It has arrived. Said again, it changes nothing. */
  async deliver(id: string): Promise<Shipment> {
    const shipment = await this.#move(id, {
      sql: `UPDATE shipments SET status = 'delivered', delivered_at = greatest(now(), dispatched_at)
            WHERE id = $1 AND status = 'dispatched' RETURNING delivered_at AS at`,
      status: "delivered",
    });
    if (shipment.status !== "pending") return shipment;
    throw problem(409, `Shipment ${id} can't be delivered before it is dispatched.`, {
      type: "not-dispatched",
    });
  }

  async changes(after: number, limit: number): Promise<ShipmentChange[]> {
    const rows = await this.#database.query<ChangeRow>(
      `SELECT change, shipment_id, order_id, shipment_changes.status, at
       FROM shipment_changes JOIN shipments ON id = shipment_id
       WHERE change > $1 ORDER BY change LIMIT $2`,
      [after, limit],
    );
    return rows.map(({ change, shipment_id: id, order_id: order, status, at }) => ({
      ...{ change, id, order, status },
      at: at.toISOString(),
    }));
  }

  async #move(id: string, step: Step): Promise<Shipment> {
    return this.#database.transaction(async (transaction) => {
      const [moved] = await transaction.query<{ at: Date }>(step.sql, [id]);
      if (moved !== undefined) await keepChange(transaction, id, step.status, moved.at);
      const [row] = await transaction.query<ShipmentRow>(`${selectShipments} WHERE id = $1`, [id]);
      if (row === undefined) throw unknown(id);
      return toShipment(row);
    });
  }
}

interface Step {
  /** Changes the row only where that is its next step, and gives when. */
  readonly sql: string;
  readonly status: ShipmentChange["status"];
}

/**
 * The number is taken under a lock that is held until the commit is seen by everybody: a reader who has seen a number
 * will never see a smaller one appear. A sequence wouldn't do: who takes a number first may commit last.
 */
async function keepChange(
  transaction: Queryable,
  id: string,
  status: ShipmentChange["status"],
  at: Date,
): Promise<void> {
  await transaction.query("SELECT pg_advisory_xact_lock(hashtextextended('shipment_changes', 0))");
  await transaction.query(
    `INSERT INTO shipment_changes (change, shipment_id, status, at)
     SELECT coalesce(max(change), 0) + 1, $1, $2, $3 FROM shipment_changes`,
    [id, status, at],
  );
}

interface ShipmentRow {
  readonly id: string;
  readonly order_id: string;
  readonly status: ShipmentStatus;
  readonly recipient: Shipment["recipient"];
  readonly lines: Shipment["lines"];
  readonly created_at: Date;
  readonly dispatched_at: Date | null;
  readonly delivered_at: Date | null;
}

interface ChangeRow {
  readonly change: number;
  readonly shipment_id: string;
  readonly order_id: string;
  readonly status: ShipmentChange["status"];
  readonly at: Date;
}

const selectShipments = `
  SELECT id, order_id, status, recipient, lines, created_at, dispatched_at, delivered_at
  FROM shipments`;

function toShipment(row: ShipmentRow): Shipment {
  return {
    id: row.id,
    order: row.order_id,
    status: row.status,
    recipient: row.recipient,
    lines: row.lines,
    createdAt: row.created_at.toISOString(),
    dispatchedAt: row.dispatched_at?.toISOString() ?? null,
    deliveredAt: row.delivered_at?.toISOString() ?? null,
  };
}

function unknown(id: string): Problem {
  return problem(404, `There is no shipment ${id}.`);
}
