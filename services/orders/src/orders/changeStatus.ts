/**
 * Returns SQL that sets the status $1 and reason $2 of orders and adds a row to their history.
 *
 * @param selection Statement that returns the orders' IDs as order_id. Its parameters start at $3.
 */
export function changeStatus(selection: string): string {
  return `
    WITH selected AS (${selection}), changed AS (
      UPDATE orders SET status = $1, reason = $2 FROM selected WHERE id = order_id RETURNING id
    )
    INSERT INTO order_history (order_id, status, reason)
    SELECT id, $1::text, $2::text FROM changed RETURNING order_id`;
}

/** SQL expression for the status of a row of orders without regard to needs_attention. */
export const lastStatus = `(
  SELECT past.status FROM order_history AS past WHERE past.order_id = orders.id AND past.status <> 'needs_attention'
  ORDER BY past.id DESC LIMIT 1
)`;
