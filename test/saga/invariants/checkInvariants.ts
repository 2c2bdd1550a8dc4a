import type { Round } from "../rounds/round.ts";
import { derivedIds } from "../backEnd/derivedIds.ts";

export interface Order {
  readonly id: string;
  readonly key: string;
  readonly status: string;
  readonly total: { readonly amount: number; readonly currency: string };
  readonly token: string | null;
}

interface Reservation {
  readonly id: string;
  readonly status: string;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
}

interface Entry {
  readonly order: string;
  readonly charge: string;
  readonly kind: "authorised" | "captured" | "voided" | "refunded";
  readonly amount: number;
}

/** Checks the invariants against the databases and APIs after all orders have ended, and adds the results to those of the round. */
export async function checkInvariants(round: Round): Promise<void> {
  const orders = await round.orders();
  const [reservations, ledger, shipments] = await Promise.all([
    readReservations(round),
    readLedger(round, orders),
    readShipments(round, orders),
  ]);
  checkAcceptedOrders(round, orders);
  await checkStock(round, orders, reservations);
  for (const order of orders) {
    const { reservation, payment, shipment } = derivedIds(order.id);
    const entries = ledger.filter((entry) => entry.order === order.id);
    const of = (kind: Entry["kind"]) => entries.filter((entry) => entry.kind === kind);
    const held = reservations.find(({ id }) => id === reservation)?.status;
    const parcels = shipments.filter((parcel) => parcel.order === order.id);
    const { results } = round;
    const about = `${order.key} (${order.id}, ${order.status})`;

    results.check("ends", isEnd(order.status), `${about} is ${order.status}`);
    const captured = of("captured");
    results.check(
      "charge",
      captured.length <= 1 && captured.every(({ amount }) => amount === order.total.amount),
      `${about} of ${order.total.amount} was charged ${captured.map(({ amount }) => amount).join(" and ")}`,
    );
    const confirmed = isConfirmed(order.status);
    const sum = (kind: Entry["kind"]) => of(kind).reduce((all, { amount }) => all + amount, 0);
    const undone = order.status === "cancelled" && sum("refunded") === order.total.amount;
    results.check(
      "together",
      captured.length > 0 === (confirmed || undone) &&
        (held === "committed") === confirmed &&
        parcels.length === (confirmed ? 1 : 0) &&
        parcels.every(({ id }) => id === shipment),
      `${about}: captured ${captured.length} times, reservation ${held}, ${parcels.length} shipments`,
    );
    const live = of("authorised").length - captured.length - of("voided").length;
    results.check(
      "released",
      live === 0 && (confirmed || held === undefined || held === "cancelled" || held === "expired"),
      `${about}: ${live} live authorisations, reservation ${held}`,
    );
    const token = order.token === null;
    results.check("token", token || !isEnd(order.status), `${about} still has its payment token`);
    await checkHistory(round, order, undone);
    await checkBooks(round, order, payment, entries);
  }
}

function isConfirmed(status: string): boolean {
  return ["confirmed", "shipped", "delivered"].includes(status);
}

function isEnd(status: string): boolean {
  return isConfirmed(status) || status === "cancelled";
}

function checkAcceptedOrders({ orderClient, results }: Round, orders: readonly Order[]): void {
  for (const [key, { text }] of orderClient.placed) {
    const { id } = JSON.parse(text) as { id: string };
    results.check(
      "ends",
      orders.some((order) => order.id === id),
      `the accepted order ${id} is missing`,
    );
    const made = orders.filter((order) => order.key === key);
    results.check("once", made.length === 1, `the key ${key} made ${made.length} orders`);
  }
  for (const { key, id } of orders) {
    results.check(
      "once",
      orderClient.requests.has(key),
      `${id} has the key ${key}, which nobody sent`,
    );
    // Without a response there is nothing to compare.
    const answer = orderClient.answers.get(key);
    results.check(
      "replay",
      answer === undefined || answer.status === 202,
      `${id} has the key ${key}, whose client got ${answer?.status}: ${answer?.text}`,
    );
  }
}

async function checkStock(
  { backEnd, results, stocked }: Round,
  orders: readonly Order[],
  reservations: readonly Reservation[],
): Promise<void> {
  const known = new Set(orders.map(({ id }) => derivedIds(id).reservation));
  for (const [sku, count] of stocked) {
    const response = await backEnd.asStaff("inventory", `/api/inventory/stock/${sku}`);
    const { onHand, held } = (await response.json()) as { onHand: number; held: number };
    const quantity = (status: string) =>
      reservations
        .filter((reservation) => reservation.status === status)
        .flatMap(({ lines }) => lines.filter((line) => line.sku === sku))
        .reduce((sum, line) => sum + line.quantity, 0);
    const committed = quantity("committed");
    results.check(
      "stock",
      onHand >= 0 && committed + quantity("held") <= count,
      `${sku}: of ${count}, ${committed} are committed and ${quantity("held")} held`,
    );
    results.check(
      "stock",
      onHand + committed === count && held === quantity("held"),
      `${sku}: of ${count}, ${onHand} are on hand and ${committed} committed; ${held} are held, ${quantity("held")} according to the reservations`,
    );
  }
  for (const { id, status } of reservations) {
    results.check(
      "released",
      status !== "held" && known.has(id),
      `the reservation ${id} is ${status}${known.has(id) ? "" : " for no order"}`,
    );
  }
}

const statusSequence = ["pending", "confirmed", "shipped", "delivered"];

/** @param undone True for an order that was cancelled because everything was refunded. */
async function checkHistory(
  { backEnd, results }: Round,
  { id, status }: Order,
  undone: boolean,
): Promise<void> {
  const [replica] = backEnd.replicasOf("orders");
  const response = await fetch(`${replica?.url}/api/orders/${id}`);
  const { history, ...shown } = (await response.json()) as {
    status: string;
    history: readonly { status: string }[];
  };
  const had = history.map((one) => one.status).join(", ");
  const wanted =
    status === "cancelled"
      ? ["pending", ...(undone && had.includes("confirmed") ? ["confirmed"] : []), "cancelled"]
      : statusSequence.slice(0, statusSequence.indexOf(status) + 1);
  results.check(
    "history",
    shown.status === status && had === wanted.join(", "),
    `${id} is ${status}, shown as ${shown.status}, and was ${had}`,
  );
}

async function checkBooks(
  { backEnd, results, refunded }: Round,
  { id }: Order,
  payment: string,
  entries: readonly Entry[],
): Promise<void> {
  const response = await backEnd.asStaff("billing", `/api/billing/payments?order=${id}`);
  const { items } = (await response.json()) as {
    items: readonly {
      id: string;
      status: string;
      refunded: { amount: number };
    }[];
  };
  const sum = (kind: Entry["kind"]) =>
    entries.filter((entry) => entry.kind === kind).reduce((all, { amount }) => all + amount, 0);
  const [shown] = items;
  const status = shown?.status ?? "none";
  const state =
    sum("captured") > 0
      ? ["captured", "refunded"].includes(status)
      : sum("authorised") > sum("voided")
        ? status === "authorised"
        : ["none", "voided", "declined"].includes(status);
  results.check(
    "books",
    items.length <= 1 &&
      state &&
      items.every((one) => one.id === payment) &&
      entries.every(({ charge }) => charge === payment) &&
      (shown?.refunded.amount ?? 0) === sum("refunded") &&
      sum("refunded") === (refunded.get(payment) ?? 0) &&
      sum("refunded") <= sum("captured"),
    `${id}: billing says ${JSON.stringify(items)}, the provider ${JSON.stringify(entries)}, granted refunds ${refunded.get(payment) ?? 0}`,
  );
}

function readReservations({ backEnd, name }: Round): Promise<Reservation[]> {
  return backEnd.database("inventory").query<Reservation & Record<string, unknown>>(
    `SELECT id, status, lines FROM reservations
     WHERE EXISTS (SELECT FROM jsonb_array_elements(lines) AS line WHERE line->>'sku' LIKE $1)`,
    [`${name}-%`],
  );
}

async function readLedger({ backEnd }: Round, orders: readonly Order[]): Promise<Entry[]> {
  const rows = await backEnd
    .database("billing")
    .query<{ order: string; charge: string; kind: Entry["kind"]; amount: string }>(
      `SELECT order_id AS "order", charge_id AS charge, kind, amount FROM simulated_ledger
       WHERE order_id = ANY($1) ORDER BY entry`,
      [orders.map(({ id }) => id)],
    );
  return rows.map((row) => ({ ...row, amount: Number(row.amount) }));
}

function readShipments({ backEnd }: Round, orders: readonly Order[]) {
  return backEnd.database("shipping").query<{
    id: string;
    order: string;
  }>(`SELECT id, order_id AS "order" FROM shipments WHERE order_id = ANY($1) AND status <> 'cancelled'`, [orders.map(({ id }) => id)]);
}
