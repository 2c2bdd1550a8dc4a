/**
 * Returns SQL that sets the status $1 and reason $2 of orders, and adds a row to the history of those that didn't have them. It returns
 * the IDs of all orders as order_id.
 *
 * @param selection Statement that returns the orders' IDs as order_id. Its parameters start at $3.
 */
export function changeStatus(selection: string): string {
  // A part of the statement that reads orders sees the rows before the update.
  return `
    WITH selected AS (${selection}), changed AS (
      UPDATE orders SET status = $1, reason = $2 FROM selected WHERE id = order_id RETURNING order_id
    ), recorded AS (
      INSERT INTO order_history (order_id, status, reason)
      SELECT id, $1::text, $2::text FROM changed JOIN orders ON id = order_id
      WHERE (status, reason) IS DISTINCT FROM ($1::text, $2::text)
    )
    SELECT order_id FROM changed`;
}

/** SQL expression for the status of a row of orders without regard to needs_attention. */
export const lastStatus = `(
  SELECT past.status FROM order_history AS past WHERE past.order_id = orders.id AND past.status <> 'needs_attention'
  ORDER BY past.id DESC LIMIT 1
)`;
