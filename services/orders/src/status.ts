/**
 * SQL that gives orders the status $1 for the reason $2, together with a line in their history: the orders that `saga`
 * returns as order_id, a statement with the parameters from $3 on.
 */
export function changeStatus(saga: string): string {
  return `
    WITH saga AS (${saga}), changed AS (
      UPDATE orders SET status = $1, reason = $2 FROM saga WHERE id = order_id RETURNING id
    )
    INSERT INTO order_history (order_id, status, reason)
    SELECT id, $1::text, $2::text FROM changed RETURNING order_id`;
}
