/**
 * Returns SQL that sets the status $1 and reason $2 of orders and adds a row to their history.
 *
 * @param saga Statement that returns the orders as order_id. Its parameters start at $3.
 */
export function changeStatus(saga: string): string {
  return `
    WITH saga AS (${saga}), changed AS (
      UPDATE orders SET status = $1, reason = $2 FROM saga WHERE id = order_id RETURNING id
    )
    INSERT INTO order_history (order_id, status, reason)
    SELECT id, $1::text, $2::text FROM changed RETURNING order_id`;
}
