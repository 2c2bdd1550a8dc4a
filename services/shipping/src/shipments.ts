import { problem, type Database, type Problem, type Queryable } from "@store/kit";
import type {
  CancelledShipment,
  Shipment,
  ShipmentChange,
  ShipmentReceipt,
  ShipmentRequest,
  ShipmentStatus,
  UnpackedProduct,
} from "./schemas.ts";

interface Filter {
  readonly order?: string;
  readonly status?: ShipmentStatus;
  /** Id of the last shipment of the previous page. */
  readonly after?: string;
  readonly limit: number;
}

/** The shipments in the database. */
export class Shipments {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Creates a shipment, once per id and once per order.
   *
   * @throws Problem 409 `order-already-shipped`, `shipment-cancelled`; 422 `shipment-differs`.
   */
  async create(id: string, request: ShipmentRequest): Promise<ShipmentReceipt> {
    const { order, recipient, lines } = request;
    const values = [id, order, JSON.stringify(recipient), JSON.stringify(lines)];
    // Waits for a concurrent transaction that inserts the same shipment.
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
    if (shipment.status === "cancelled") throw cancelledProblem(id);
    if (!shipment.same) {
      throw problem(422, `Shipment ${id} was asked for with another order, recipient or lines.`, {
        type: "shipment-differs",
      });
    }
    return { id, status: shipment.status };
  }

  /**
   * Cancels a shipment that isn't dispatched yet. Marks an unknown ID as cancelled, so that a late request doesn't create the shipment.
   *
   * @throws Problem 409 `shipment-dispatched`, `order-already-shipped`.
   */
  async cancel(id: string, order: string): Promise<CancelledShipment> {
    return this.#database.transaction(async (transaction) => {
      await transaction.query(
        `INSERT INTO shipments (id, order_id, status) VALUES ($1, $2, 'cancelled')
         ON CONFLICT DO NOTHING`,
        [id, order],
      );
      await transaction.query(
        "UPDATE shipments SET status = 'cancelled' WHERE id = $1 AND status = 'pending'",
        [id],
      );
      const [shipment] = await transaction.query<{ status: ShipmentStatus }>(
        "SELECT status FROM shipments WHERE id = $1 AND order_id = $2",
        [id, order],
      );
      if (shipment === undefined) {
        throw problem(409, `Order ${order} has another shipment, or the shipment another order.`, {
          type: "order-already-shipped",
        });
      }
      if (shipment.status === "cancelled") return { id, status: "cancelled" };
      throw problem(409, `Shipment ${id} is ${shipment.status} and can't be cancelled.`, {
        type: "shipment-dispatched",
      });
    });
  }

  async find(id: string): Promise<Shipment> {
    const [row] = await this.#database.query<ShipmentRow>(`${selectShipments} WHERE id = $1`, [id]);
    if (row === undefined) throw unknown(id);
    return toShipment(row);
  }

  /** Returns a page of shipments, oldest first. */
  async list({ order, status, after, limit }: Filter): Promise<{
    readonly items: Shipment[];
    readonly next: string | null;
  }> {
    // One row more than the page holds shows whether there is a next page.
    const values: unknown[] = [limit + 1];
    // Each combination of conditions is a statement of its own and therefore has its own plan.
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

  /** Returns the quantity in shipments that aren't dispatched yet, for those of the SKUs that are in one. */
  async unpacked(skus: readonly string[]): Promise<UnpackedProduct[]> {
    return this.#database.query<UnpackedProduct>(
      `SELECT line->>'sku' AS sku, sum((line->>'quantity')::bigint)::bigint AS quantity
       FROM shipments, jsonb_array_elements(lines) AS line
       WHERE status = 'pending' AND line->>'sku' = ANY($1)
       GROUP BY 1 ORDER BY 1`,
      [skus],
    );
  }

  /**
   * Marks a pending shipment as dispatched. Changes nothing if it already is.
   *
   * @throws Problem 409 `shipment-cancelled`.
   */
  async dispatch(id: string, staff: string): Promise<Shipment> {
    return this.#changeStatus(id, staff, {
      sql: `UPDATE shipments SET status = 'dispatched', dispatched_by = $2, dispatched_at = greatest(now(), created_at)
            WHERE id = $1 AND status = 'pending' RETURNING dispatched_at AS at`,
      status: "dispatched",
    });
  }

  /**
   * Marks a dispatched shipment as delivered. Changes nothing if it already is.
   *
   * @throws Problem 409 `not-dispatched`, `shipment-cancelled`.
   */
  async deliver(id: string, staff: string): Promise<Shipment> {
    const shipment = await this.#changeStatus(id, staff, {
      sql: `UPDATE shipments SET status = 'delivered', delivered_by = $2, delivered_at = greatest(now(), dispatched_at)
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

  async #changeStatus(id: string, staff: string, step: StatusChange): Promise<Shipment> {
    return this.#database.transaction(async (transaction) => {
      const [changed] = await transaction.query<{ at: Date }>(step.sql, [id, staff]);
      if (changed !== undefined) await recordChange(transaction, id, step.status, changed.at);
      const [row] = await transaction.query<ShipmentRow>(`${selectShipments} WHERE id = $1`, [id]);
      if (row === undefined) throw unknown(id);
      if (row.status === "cancelled") throw cancelledProblem(id);
      return toShipment(row);
    });
  }
}

interface StatusChange {
  /** An UPDATE with the shipment's ID and the name of the staff token. It changes the row only if it has the previous status, and returns the time as `at`. */
  readonly sql: string;
  readonly status: ShipmentChange["status"];
}

/**
 * Records a change under the next number. The lock is held until the commit is visible, so that a reader who has seen a number never
 * sees a smaller one appear later. A sequence doesn't guarantee that: the transaction that draws a number first may commit last.
 */
async function recordChange(
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
  readonly dispatched_by: string | null;
  readonly delivered_by: string | null;
}

interface ChangeRow {
  readonly change: number;
  readonly shipment_id: string;
  readonly order_id: string;
  readonly status: ShipmentChange["status"];
  readonly at: Date;
}

const selectShipments = `
  SELECT id, order_id, status, recipient, lines, created_at, dispatched_at, delivered_at,
    dispatched_by, delivered_by
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
    ...(row.dispatched_by === null ? {} : { dispatchedBy: row.dispatched_by }),
    ...(row.delivered_by === null ? {} : { deliveredBy: row.delivered_by }),
  };
}

function cancelledProblem(id: string): Problem {
  return problem(409, `Shipment ${id} is cancelled: its order is refunded. Don't send it.`, {
    type: "shipment-cancelled",
  });
}

function unknown(id: string): Problem {
  return problem(404, `There is no shipment ${id}.`);
}
