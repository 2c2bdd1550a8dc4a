import { setTimeout as delay } from "node:timers/promises";
import { DatabaseUnavailable, UpstreamError, type Log, type Service } from "@store/kit";
import type { Services } from "./calls.ts";
import { Pause } from "./wakeableTimer.ts";
import { keptBefore, moveFor, saga, type Move, type Step } from "./saga.ts";
import type { ClaimedOrder, Progress, SagaStore } from "./sagaStore.ts";

export interface WorkerOptions {
  readonly sagas: SagaStore;
  readonly services: Services;
  readonly log: Log;
  /** Is told what came of asking for a step. */
  readonly count: (step: Step, outcome: "done" | "refused" | "unknown") => void;
  /** Makes a span of asking for a step. */
  readonly trace: Service["trace"];
  /** Orders that it drives at once, without those that only wait. */
  readonly concurrency: number;
  /** Orders that may wait besides for a call that takes its time. */
  readonly maxWaiting: number;
  /** For how long a claim holds, in milliseconds. */
  readonly leaseMs: number;
  /** How often it looks for orders without being told of one, in milliseconds. */
  readonly pollMs: number;
  /** Pause before a step is asked for again, in milliseconds. It doubles with each attempt. */
  readonly backoffMs: number;
  /** Where it stops doubling. */
  readonly backoffMaxMs: number;
}

/** From when on an order only waits for its call, in milliseconds: it costs nobody anything, so another takes its place. */
const SLOW_MS = 500;

/** An order in our hands. */
interface Held {
  readonly order: ClaimedOrder;
  /** By performance.now(): from then on it may be another's. */
  until: number;
}

/**
 * Drives orders through the saga, several at once, and any number of replicas on one database. An order is one worker's as
 * long as that renews its lease. One that was stopped for longer asks for nothing more when it wakes up, and what it still
 * writes meets no row.
 */
export class SagaWorker {
  readonly #options: WorkerOptions;
  readonly #driven = new Map<Held, Promise<void>>();
  /** Those of them that wait for a slow call. */
  readonly #waiting = new Set<Held>();
  readonly #pause = new Pause();
  /** The last claim found as many as it could take: there may be more. */
  #more = false;
  readonly #stopping = new AbortController();
  #claiming: Promise<void> | undefined;
  #renewals: NodeJS.Timeout | undefined;

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#claiming = this.#claimOnAndOn();
    this.#renewals = setInterval(() => void this.#renew(), this.#options.leaseMs / 3);
  }

  /** There is something new to drive. */
  kick(): void {
    this.#pause.ring();
  }

  /** Claims nothing more, lets the calls under way come to their end, and gives the orders back for others to go on with. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#pause.ring();
    await this.#claiming;
    await Promise.all(this.#driven.values());
    clearInterval(this.#renewals);
  }

  async #claimOnAndOn(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const free = this.#free;
      const claimed = free === 0 ? 0 : await this.#claim(free);
      this.#more = claimed === free;
      if (free === 0 || claimed < free) await this.#pause.rest(this.#options.pollMs);
    }
  }

  /** How many more orders it can take. */
  get #free(): number {
    const { concurrency, maxWaiting } = this.#options;
    const busy = this.#driven.size - this.#waiting.size;
    // Those that have waited are busy again, whether there is a place or not.
    return Math.max(0, Math.min(concurrency - busy, concurrency + maxWaiting - this.#driven.size));
  }

  async #claim(count: number): Promise<number> {
    // Taken before the claim is sent, so that a lease ends for us before it ends for the database.
    const until = performance.now() + this.#options.leaseMs;
    try {
      const orders = await this.#options.sagas.claim(count);
      for (const order of orders) this.#take({ order, until });
      return orders.length;
    } catch (error) {
      this.#logFailure(error);
      return 0;
    }
  }

  #take(held: Held): void {
    const driven = this.#drive(held)
      .then((ours) => {
        if (!ours) this.#log(held.order).warn("The lease is over: somebody else drives the order");
      })
      // Nothing is lost with it: the lease runs out, and the order is taken up again.
      .catch((error: unknown) => this.#logFailure(error, held.order))
      .finally(() => {
        this.#driven.delete(held);
        if (this.#more) this.#pause.ring();
      });
    this.#driven.set(held, driven);
  }

  /** Takes an order from step to step, until it has ended or has to wait. Gives whether it was ours to the end. */
  async #drive(held: Held): Promise<boolean> {
    const { sagas } = this.#options;
    const { order } = held;
    let at: Progress = order;
    for (;;) {
      if (this.#stopping.signal.aborted) return sagas.park(order, at, 0);
      if (performance.now() >= held.until) return false;
      const next = await this.#ask(held, at);
      if ("wait" in next) {
        const attempts = at.attempts + 1;
        const waiting = { ...at, attempts, lastError: next.wait };
        return this.#write(held, () => sagas.park(order, waiting, this.#backoff(attempts)));
      }
      if ("attention" in next) {
        const left = { ...at, lastError: next.attention };
        return this.#write(held, () => sagas.leave(order, left));
      }
      const { reason: before } = at;
      if ("end" in next) return this.#write(held, () => sagas.end(order, next.end, before));
      const { to, reason = before } = next;
      const reached = (at = { step: to, reason, attempts: 0, lastError: null });
      if (keptBefore.has(to) && !(await this.#write(held, () => sagas.keep(order, reached))))
        return false;
    }
  }

  /**
   * Writes what has become of an order, and tries again for as long as it is ours: nobody else would take it up before the
   * lease is over. One that was written and whose answer got lost meets no row the second time, as one that we have lost does.
   */
  async #write(held: Held, write: () => Promise<boolean>): Promise<boolean> {
    const { signal } = this.#stopping;
    for (let logged = false; ; logged = true) {
      try {
        return await write();
      } catch (error) {
        if (signal.aborted || performance.now() >= held.until) throw error;
        if (!logged) this.#logFailure(error, held.order);
      }
      await delay(this.#options.pollMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Asks for a step, and gives what is to be done now. */
  async #ask(
    held: Held,
    { step, attempts }: Progress,
  ): Promise<Move | { readonly wait: string } | { readonly attention: string }> {
    const { services, count, trace } = this.#options;
    const { order } = held;
    const slow = setTimeout(() => {
      this.#waiting.add(held);
      if (this.#more) this.#pause.ring();
    }, SLOW_MS);
    try {
      const ask = () => saga[step].call(services, order);
      const answer = await trace(`saga ${step}`, ask, order.traceparent);
      count(step, answer.refused ? "refused" : "done");
      const next = moveFor(step, answer) ?? { attention: answer.text };
      if ("attention" in next) this.#log(order).error({ step }, "The order needs attention");
      if ("end" in next) this.#log(order).info({ status: next.end }, "The order is through");
      return next;
    } catch (error) {
      if (error instanceof UpstreamError) {
        count(step, "unknown");
        // Once: an outage is a hundred attempts. The metrics and the staff's list have the rest.
        if (attempts === 0) this.#log(order).warn({ step }, `${error.message}: asked again later`);
        return { wait: error.message };
      }
      // A mistake of ours, or an answer that isn't even JSON.
      this.#log(order).error({ step, err: error }, "The order needs attention");
      return { attention: error instanceof Error ? error.message : String(error) };
    } finally {
      clearTimeout(slow);
      this.#waiting.delete(held);
    }
  }

  /** Half of the pause is drawn, so that those who failed together don't come back together. */
  #backoff(attempts: number): number {
    const { backoffMs, backoffMaxMs } = this.#options;
    return Math.min(backoffMs * 2 ** (attempts - 1), backoffMaxMs) * (0.5 + Math.random() / 2);
  }

  async #renew(): Promise<void> {
    const held = [...this.#driven.keys()];
    if (held.length === 0) return;
    const until = performance.now() + this.#options.leaseMs;
    try {
      const ours = await this.#options.sagas.renew(held.map(({ order }) => order));
      for (const one of held) one.until = ours.has(one.order.lease + one.order.id) ? until : 0;
    } catch (error) {
      this.#logFailure(error);
    }
  }

  /** By the id of the request that placed it: an order's own id is the key to it. */
  #log({ requestId }: ClaimedOrder): Log {
    return this.#options.log.child({ requestId });
  }

  #logFailure(error: unknown, order?: ClaimedOrder): void {
    // The kit has logged once that the database is away.
    if (error instanceof DatabaseUnavailable) return;
    const log = order === undefined ? this.#options.log : this.#log(order);
    log.error({ err: error }, "An order's progress couldn't be read or kept");
  }
}
