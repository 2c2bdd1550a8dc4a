import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { LEASE_SECONDS, services, type BackEnd } from "../backEnd/backEnd.ts";
import { steps } from "../proxy/operations.ts";
import type { OrderRequest } from "../backEnd/orderClient.ts";
import type { Trap } from "../proxy/faultProxy.ts";
import type { Profile } from "../proxy/faults.ts";
import type { Round } from "./round.ts";

/** The state of a model run that decides which commands are possible next. */
export interface Model {
  orders: number;
  kills: number;
  crashes: number;
  pauses: number;
}

type Command = fc.AsyncCommand<Model, Round>;

/** Initial stock of a run's products. */
export const STOCK = [40, 4, 1];

export const faultLevels: Readonly<Record<"calm" | "rain" | "storm", Profile>> = {
  calm: {},
  rain: allFaults(0.04),
  storm: allFaults(0.08),
};

function allFaults(share: number): Profile {
  return {
    ...{ dropRequest: share, dropResponse: share, unavailable: share },
    ...{ delay: share, duplicate: share, lateCall: share },
  };
}

/** Places an order with one or several concurrent requests. */
export const order: fc.Arbitrary<Command> = fc
  .record({
    lines: fc.uniqueArray(
      fc.record({ good: fc.nat(STOCK.length - 1), quantity: fc.integer({ min: 1, max: 3 }) }),
      { selector: ({ good }) => good, minLength: 1, maxLength: 2 },
    ),
    token: fc.oneof(
      { weight: 4, arbitrary: fc.constant("tok_ok") },
      { weight: 1, arbitrary: fc.constant("tok_declined") },
      { weight: 1, arbitrary: fc.constant("tok_insufficient_funds") },
      { weight: 1, arbitrary: fc.constant("tok_unknown") },
      { weight: 1, arbitrary: fc.constant("tok_slow") },
      { weight: 2, arbitrary: fc.constant("tok_flaky") },
    ),
    times: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ lines, token, times }) => ({
    check: () => true,
    run: (model, round) => {
      const request: OrderRequest = {
        key: round.key(model.orders++),
        lines: lines.map(({ good, quantity }) => ({ sku: round.sku(good), quantity })),
        token,
      };
      for (let n = 0; n < times; n++) void round.orderClient.place(request);
      return Promise.resolve();
    },
    toString: () => `order ${JSON.stringify(lines)} with ${token}, ${times} concurrent requests`,
  }));

/**
 * The commands of the model runs. A command starts an action without waiting for it, so that actions overlap. Only the command that lets
 * time pass waits.
 */
export const commands: fc.Arbitrary<Command>[] = [
  // Repeated to make orders the most frequent command.
  ...[order, order, order, order, order],
  fc.nat(9).map((n) => ({
    check: ({ orders }) => orders > n,
    run: (_model, round) => {
      const request = round.orderClient.requests.get(round.key(n));
      if (request !== undefined) void round.orderClient.place(request);
      return Promise.resolve();
    },
    toString: () => `order ${n} again`,
  })),
  fc.nat(9).map((n) => ({
    check: ({ orders }) => orders > n,
    run: (_model, round) => {
      // Before its order is placed, the key could belong to either body.
      if (round.orderClient.placed.has(round.key(n))) {
        const lines = [{ sku: round.sku(0), quantity: 9 }];
        round.runInBackground(round.orderClient.reuse(round.key(n), { lines, token: "tok_ok" }));
      }
      return Promise.resolve();
    },
    toString: () => `the key of order ${n} for another order`,
  })),
  fc.constantFrom(...(["calm", "rain", "storm"] as const)).map((level) => ({
    check: () => true,
    run: (_model, { backEnd }) => {
      backEnd.proxy.profile = faultLevels[level];
      return Promise.resolve();
    },
    toString: () => `fault level ${level}`,
  })),
  fc
    .record({
      operation: fc.constantFrom(...steps),
      moment: fc.constantFrom<Trap["moment"]>("before", "late", "after"),
      victim: fc.constantFrom<Victim>("caller", "service"),
    })
    .map((at) => ({
      check: ({ kills }) => kills < 2,
      run: (model, { backEnd }) => {
        model.kills += 1;
        killAt(backEnd, at);
        return Promise.resolve();
      },
      toString: () => `kill -9 of the ${at.victim} ${at.moment} the next ${at.operation}`,
    })),
  fc
    .record({ service: fc.constantFrom(...services), n: fc.constantFrom(1, 2) })
    .map(({ service, n }) => ({
      check: ({ kills }) => kills < 2,
      run: (model, { backEnd }) => {
        model.kills += 1;
        backEnd.kill(`${service}-${n}`);
        return Promise.resolve();
      },
      toString: () => `kill -9 of ${service}-${n}`,
    })),
  fc.constant<Command>({
    check: ({ kills }) => kills > 0,
    run: (_model, round) => {
      for (const { name } of round.backEnd.replicas)
        round.runInBackground(round.backEnd.revive(name));
      return Promise.resolve();
    },
    toString: () => "restart of the killed replicas",
  }),
  fc
    .record({ service: fc.constantFrom(...services), n: fc.constantFrom(1, 2) })
    .map(({ service, n }) => ({
      check: ({ pauses }) => pauses === 0,
      run: (model, round) => {
        model.pauses += 1;
        round.runInBackground(pauseBeyondLease(round.backEnd, `${service}-${n}`));
        return Promise.resolve();
      },
      toString: () => `SIGSTOP of ${service}-${n}`,
    })),
  fc.constant<Command>({
    check: ({ crashes }) => crashes === 0,
    run: (model, round) => {
      model.crashes += 1;
      round.runInBackground(round.backEnd.crashDatabases());
      return Promise.resolve();
    },
    toString: () => "kill -9 and restart of the databases",
  }),
  fc
    .record({
      good: fc.nat(STOCK.length - 1),
      more: fc.integer({ min: -2, max: 3 }).filter((more) => more !== 0),
    })
    .map(({ good, more }) => ({
      check: () => true,
      run: (_model, round) => {
        round.runInBackground(round.restock(round.sku(good), more));
        return Promise.resolve();
      },
      toString: () => `stock change of product ${good} by ${more}`,
    })),
  fc.constantFrom(...(["dispatch", "deliver"] as const)).map((action) => ({
    check: ({ orders }) => orders > 0,
    run: (_model, round) => {
      round.runInBackground(round.advanceParcels(action));
      return Promise.resolve();
    },
    toString: () => action,
  })),
  fc.constantFrom(0.3, 1).map((share) => ({
    check: ({ orders }) => orders > 0,
    run: (_model, round) => {
      round.runInBackground(round.refund(share));
      return Promise.resolve();
    },
    toString: () => `refund of ${share}`,
  })),
  fc.constantFrom(50, 200, 700).map((ms) => ({
    check: () => true,
    run: () => delay(ms),
    toString: () => `${ms} ms pass`,
  })),
];

export type Victim = "caller" | "service";

/** Sets a trap that kills a replica at a step of the saga. Resolves with the replica's name when it is killed. */
export function killAt(
  backEnd: BackEnd,
  { victim, ...at }: Pick<Trap, "operation" | "moment"> & { readonly victim: Victim },
): Promise<string> {
  return new Promise((resolve) => {
    backEnd.proxy.setTrap({
      ...at,
      matches: ({ caller }) => caller.startsWith("orders-"),
      spring: ({ caller, service, servedBy }) => {
        const [first] = backEnd.replicasOf(service).filter(({ isRunning }) => isRunning);
        const name = victim === "caller" ? caller : (servedBy ?? first?.name);
        if (name !== undefined) {
          backEnd.kill(name);
          resolve(name);
        }
      },
    });
  });
}

/** Stops a replica (SIGSTOP) until its leases have expired, then continues it (SIGCONT). */
export async function pauseBeyondLease(backEnd: BackEnd, name: string): Promise<void> {
  backEnd.pause(name);
  await delay((LEASE_SECONDS + 1) * 1_000);
  backEnd.replica(name).resume();
}
