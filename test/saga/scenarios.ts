import { until } from "@store/kit/testing";
import { killAt } from "./commands.ts";
import type { OrderRequest } from "./customers.ts";
import type { Trap } from "./faultProxy.ts";
import { derivedIds } from "./ids.ts";
import type { Round } from "./round.ts";
import { beginRound } from "./shared.ts";
import type { Step } from "./calls.ts";
import type { Victim } from "./commands.ts";

/** Something that happens to the store on purpose. Gives the round that it happened in, which is to be ended. */
export type Scenario = () => Promise<Round>;

function wish(round: Round, n: number, token = "tok_ok", good = 0, quantity = 1): OrderRequest {
  return { key: round.key(n), lines: [{ sku: round.sku(good), quantity }], token };
}

/** Places orders at the same time. */
function place(round: Round, ...wishes: readonly OrderRequest[]): Promise<unknown> {
  return Promise.all(wishes.map((one) => round.shopClient.place(one)));
}

/** Each order comes several times at once, and its answers get lost. */
export const repeatedOrders: Scenario = async () => {
  const round = await beginRound([20]);
  round.backEnd.proxy.profiles = { place: { dropAnswer: 0.3, duplicate: 0.3 } };
  const wishes = [0, 1, 2].map((n) => wish(round, n));
  await place(round, ...wishes, ...wishes);
  await place(round, ...wishes);
  const other = { lines: [{ sku: round.sku(0), quantity: 9 }], token: "tok_ok" };
  await round.shopClient.reuse(round.key(0), other);
  return round;
};

/** The last one of its kind is ordered many times at once under one key; for most of these it is gone when they see the stock. */
export const lastOne: Scenario = async () => {
  const round = await beginRound([1]);
  round.backEnd.proxy.profiles = { price: { delay: 1 } };
  await place(round, ...Array.from({ length: 8 }, () => wish(round, 0)));
  return round;
};

/** More orders than there is stock for, all placed before the first of them gets any. */
export const scarceStock: Scenario = async () => {
  const round = await beginRound([2]);
  round.backEnd.proxy.profiles = { reserve: { unavailable: 1 } };
  await place(round, ...[0, 1, 2, 3, 4].map((n) => wish(round, n)));
  round.backEnd.proxy.profiles = {};
  return round;
};

/**
 * The request to reserve comes once more when the order is cancelled and the stock is there (again): of one order that was
 * declined, and of one that came too late for the goods.
 */
export const lateReservations: Scenario = async () => {
  const round = await beginRound([5, 1]);
  const { proxy } = round.backEnd;
  proxy.profiles = { reserve: { unavailable: 1 } };
  await place(
    round,
    ...[wish(round, 0, "tok_declined"), wish(round, 1, "tok_ok", 1), wish(round, 2, "tok_ok", 1)],
  );
  proxy.lateAfter = until("the orders have ended", () => round.allOrdersEnded()).then(() =>
    round.restock(round.sku(1), 5),
  );
  proxy.profiles = { reserve: { lateCall: 1 } };
  await proxy.lateAfter;
  return round;
};

/**
 * A replica is killed when its request to authorise is still on the way, and the other one with it. When they are back they find
 * the hold expired and the goods gone, and cancel the order. Then the request arrives.
 */
export const lateAuthorisation: Scenario = async () => {
  const round = await beginRound([1]);
  const { backEnd } = round;
  let arrive: () => void = () => undefined;
  backEnd.proxy.lateAfter = new Promise<void>((resolve) => (arrive = resolve));
  const killed = killAt(backEnd, { operation: "authorise", moment: "late", victim: "caller" });
  void round.shopClient.place(wish(round, 0));
  await killed;
  const drivers = backEnd.replicasOf("orders");
  for (const { name } of drivers) backEnd.kill(name);
  await expireHolds(round);
  await round.restock(round.sku(0), -1);
  await Promise.all(drivers.map(({ name }) => backEnd.revive(name)));
  await until("the order has ended", () => round.allOrdersEnded()).finally(arrive);
  return round;
};

/** Orders whose steps take long, so that another replica has all the time to take them up. */
export const slowSteps: Scenario = async () => {
  const round = await beginRound([20]);
  const slow = { delay: 1 };
  round.backEnd.proxy.profiles = { reserve: slow, commit: slow, capture: slow, ship: slow };
  await place(round, ...[0, 1, 2, 3].map((n) => wish(round, n, "tok_slow")));
  await round.keepFaultsUntilOrdersEnd(8);
  return round;
};

/** kill -9 at exactly this point, while other orders are on their way. */
export async function killedAt(
  operation: Step,
  moment: Trap["moment"],
  victim: Victim,
): Promise<Round> {
  const round = await beginRound([20]);
  const { backEnd } = round;
  const killed = killAt(backEnd, { operation, moment, victim });
  await place(round, ...[0, 1, 2].map((n) => wish(round, n)));
  const name = await Promise.race([
    killed,
    until(`${operation} is asked for`, () => false, 20).then(() => ""),
  ]);
  round.runInBackground(backEnd.revive(name));
  return round;
}

/** As if the time for which holds last had passed. */
async function expireHolds(round: Round): Promise<void> {
  const inventory = round.backEnd.database("inventory");
  const ids = (await round.orders()).map(({ id }) => derivedIds(id).reservation);
  await until("the hold is there and has expired", async () => {
    const [hold] = await inventory.query<{ status: string }>(
      `UPDATE reservations SET expires_at = CASE WHEN status = 'held' THEN now() END
       WHERE id = ANY($1) RETURNING status`,
      [ids],
    );
    return hold?.status === "expired";
  });
}
