import { until } from "@store/kit/testing";
import { killAt } from "./commands.ts";
import type { OrderRequest } from "../backEnd/orderClient.ts";
import type { Trap } from "../proxy/faultProxy.ts";
import { derivedIds } from "../backEnd/derivedIds.ts";
import type { Round } from "./round.ts";
import { beginRound } from "../sharedBackEnd.ts";
import type { Step } from "../proxy/operations.ts";
import type { Victim } from "./commands.ts";

/** Causes a fault in a new round and returns the round, which the caller finishes. */
export type Scenario = () => Promise<Round>;

function orderRequest(
  round: Round,
  n: number,
  token = "tok_ok",
  good = 0,
  quantity = 1,
): OrderRequest {
  return { key: round.key(n), lines: [{ sku: round.sku(good), quantity }], token };
}

/** Places orders concurrently. */
function place(round: Round, ...requests: readonly OrderRequest[]): Promise<unknown> {
  return Promise.all(requests.map((one) => round.orderClient.place(one)));
}

/** Each order is sent several times concurrently, and responses get lost. */
export const repeatedOrders: Scenario = async () => {
  const round = await beginRound([20]);
  round.backEnd.proxy.profiles = { place: { dropResponse: 0.3, duplicate: 0.3 } };
  const requests = [0, 1, 2].map((n) => orderRequest(round, n));
  await place(round, ...requests, ...requests);
  await place(round, ...requests);
  const other = { lines: [{ sku: round.sku(0), quantity: 9 }], token: "tok_ok" };
  await round.orderClient.reuse(round.key(0), other);
  return round;
};

/** The last item is ordered by many concurrent requests under one key. Most of them find it out of stock. */
export const lastOne: Scenario = async () => {
  const round = await beginRound([1]);
  round.backEnd.proxy.profiles = { price: { delay: 1 } };
  await place(round, ...Array.from({ length: 8 }, () => orderRequest(round, 0)));
  return round;
};

/** More orders than stock, all placed before the first one reserves. */
export const scarceStock: Scenario = async () => {
  const round = await beginRound([2]);
  round.backEnd.proxy.profiles = { reserve: { unavailable: 1 } };
  await place(round, ...[0, 1, 2, 3, 4].map((n) => orderRequest(round, n)));
  round.backEnd.proxy.profiles = {};
  return round;
};

/**
 * The request to reserve arrives again after the order is cancelled and stock is available: for a declined order, and for one that was
 * too late for the stock.
 */
export const lateReservations: Scenario = async () => {
  const round = await beginRound([5, 1]);
  const { proxy } = round.backEnd;
  proxy.profiles = { reserve: { unavailable: 1 } };
  await place(
    round,
    ...[
      orderRequest(round, 0, "tok_declined"),
      orderRequest(round, 1, "tok_ok", 1),
      orderRequest(round, 2, "tok_ok", 1),
    ],
  );
  proxy.lateAfter = until("the orders have ended", () => round.allOrdersEnded()).then(() =>
    round.restock(round.sku(1), 5),
  );
  proxy.profiles = { reserve: { lateCall: 1 } };
  await proxy.lateAfter;
  return round;
};

/**
 * Both replicas of orders are killed while a request to authorise is in transit. After their restart they find the hold expired and the
 * stock gone, and cancel the order. Then the request arrives.
 */
export const lateAuthorisation: Scenario = async () => {
  const round = await beginRound([1]);
  const { backEnd } = round;
  let arrive: () => void = () => undefined;
  backEnd.proxy.lateAfter = new Promise<void>((resolve) => (arrive = resolve));
  const killed = killAt(backEnd, { operation: "authorise", moment: "late", victim: "caller" });
  void round.orderClient.place(orderRequest(round, 0));
  await killed;
  const drivers = backEnd.replicasOf("orders");
  for (const { name } of drivers) backEnd.kill(name);
  await expireHolds(round);
  await round.restock(round.sku(0), -1);
  await Promise.all(drivers.map(({ name }) => backEnd.revive(name)));
  await until("the order has ended", () => round.allOrdersEnded()).finally(arrive);
  return round;
};

/** Orders with slow steps, so that another replica has enough time to take them over. */
export const slowSteps: Scenario = async () => {
  const round = await beginRound([20]);
  const slow = { delay: 1 };
  round.backEnd.proxy.profiles = { reserve: slow, commit: slow, capture: slow, ship: slow };
  await place(round, ...[0, 1, 2, 3].map((n) => orderRequest(round, n, "tok_slow")));
  await round.keepFaultsUntilOrdersEnd(8);
  return round;
};

/**
 * Three orders end or go on after the commit of their goods: staff cancel the first one while nobody knows that its payment is captured,
 * the second one's authorisation lapses, and staff cancel the third one. The goods' return and late commits meet faults.
 */
export const revokedPayments: Scenario = async () => {
  const round = await beginRound([9]);
  const { backEnd } = round;
  const { proxy } = backEnd;
  const lateCommits = { lateCall: 1 };
  let arrive: () => void = () => undefined;
  proxy.lateAfter = new Promise<void>((resolve) => (arrive = resolve));
  proxy.profiles = { capture: { dropResponse: 1 }, commit: lateCommits };
  await place(round, orderRequest(round, 0));
  await until("the first payment is captured", () =>
    captures(round).some(({ status }) => status === 200),
  );
  await round.cancel(round.key(0));
  proxy.profiles = { capture: { unavailable: 1 }, commit: lateCommits };
  await place(round, ...[1, 2].map((n) => orderRequest(round, n)));
  await until(
    "the capture of all payments is requested",
    () => new Set(captures(round).map(({ id }) => id)).size === 3,
  );
  await Promise.all([round.voidPayment(round.key(1)), round.cancel(round.key(2))]);
  const killed = killAt(backEnd, { operation: "return", moment: "after", victim: "caller" });
  proxy.profiles = { return: { dropResponse: 0.4, duplicate: 0.4 } };
  round.runInBackground(sprung("return", killed).then((name) => backEnd.revive(name)));
  await round.keepFaultsUntilOrdersEnd(8);
  arrive();
  return round;
};

function captures({ calls }: Round) {
  return calls.filter(({ operation }) => operation === "capture");
}

/** Kills a replica at the given point of a step, while other orders are in progress. */
export async function killedAt(
  operation: Step,
  moment: Trap["moment"],
  victim: Victim,
): Promise<Round> {
  const round = await beginRound([20]);
  const { backEnd } = round;
  const killed = killAt(backEnd, { operation, moment, victim });
  await place(round, ...[0, 1, 2].map((n) => orderRequest(round, n)));
  round.runInBackground(backEnd.revive(await sprung(operation, killed)));
  return round;
}

/** Waits until a trap has killed a replica. Returns the replica's name. @throws Error if no step of this kind is called. */
async function sprung(operation: Step, killed: Promise<string>): Promise<string> {
  let name: string | undefined;
  void killed.then((killedName) => (name = killedName));
  await until(`${operation} is called`, () => name !== undefined);
  return killed;
}

/** Makes the holds expire now. */
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
