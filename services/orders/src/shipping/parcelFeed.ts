import { createParser, Type, type Client, type Queryable, type Static } from "@store/kit";
import type { paths as ShippingPaths } from "@store/contracts/internal/shipping";
import { OrderBusy, type ChangeFeed } from "../following/changeFollower.ts";
import { lastStatus } from "../orders/changeStatus.ts";
import type { OrderStatus } from "../orders/schemas.ts";

const Change = Type.Object({
  change: Type.Integer(),
  order: Type.String(),
  status: Type.Enum(["dispatched", "delivered"]),
  at: Type.String({ format: "date-time" }),
});
type Change = Static<typeof Change>;
const readChanges = createParser(Type.Object({ items: Type.Array(Change) }));

/** The dispatched and delivered parcels, which set the status of their orders. Each order takes only the statuses that it hasn't had. */
export function parcelFeed(shipping: Client<ShippingPaths>): ChangeFeed<Change> {
  return {
    service: "shipping",
    read: async (after, limit) => {
      const { data } = await shipping.GET("/internal/shipments/changes", {
        params: { query: { after, limit } },
      });
      const changes = readChanges(data)?.items;
      if (changes === undefined)
        throw new Error("shipping's answer doesn't match its OpenAPI document");
      return changes;
    },
    contentOf: ({ change, order, status, at }) => `${change} ${order} ${status} ${at}`,
    apply: setStatuses,
  };
}

async function setStatuses(transaction: Queryable, { order, status, at }: Change): Promise<void> {
  // A dispatched parcel proves that every step is done, even if the answer to the last one hasn't arrived.
  await transaction.query("DELETE FROM sagas WHERE order_id = $1", [order]);
  const [kept] = await transaction.query<{ status: OrderStatus }>(
    `SELECT ${lastStatus} AS status FROM orders WHERE id = $1 FOR UPDATE`,
    [order],
  );
  // A cancellation has begun between the two statements. The next poll deletes its saga: here that could be a deadlock, because a worker
  // locks the saga before the order.
  const begun = await transaction.query("SELECT FROM sagas WHERE order_id = $1", [order]);
  if (begun.length > 0) throw new OrderBusy();
  const target = status === "dispatched" ? "shipped" : "delivered";
  for (const next of statusesUntil(kept?.status, target))
    await transaction.query(setStatus, [order, next, at]);
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

const setStatus = `
  WITH changed AS (UPDATE orders SET status = $2, reason = NULL WHERE id = $1 RETURNING id)
  INSERT INTO order_history (order_id, status, at) SELECT id, $2::text, $3::timestamptz FROM changed`;
