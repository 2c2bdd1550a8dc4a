import { setTimeout as delay } from "node:timers/promises";
import { DatabaseUnavailable, UpstreamError, type Log, type Service } from "@store/kit";
import type { Services } from "./calls.ts";
import { WakeableTimer } from "../wakeableTimer.ts";
import { savedBeforeCall, transitionFor, saga, type Transition, type Step } from "./saga.ts";
import { savedStep, type ClaimedOrder, type Progress, type SagaStore } from "./sagaStore.ts";

export interface WorkerOptions {
  readonly sagas: SagaStore;
  readonly services: Services;
  readonly log: Log;
  /** Counts the outcome of a call for a step. */
  readonly count: (step: Step, outcome: "done" | "refused" | "unknown") => void;
  /** Wraps the call for a step in a span. */
  readonly trace: Service["trace"];
  /** Maximum number of orders processed at once, not counting those that wait for a slow call. */
  readonly concurrency: number;
  /** Maximum number of additional orders that wait for a slow call. */
  readonly maxWaiting: number;
  /** Duration of a lease, in milliseconds. */
  readonly leaseMs: number;
  /** Interval between two polls for due orders, in milliseconds. */
  readonly pollMs: number;
  /** Delay before the first retry of a step, in milliseconds. It doubles with each attempt. */
  readonly backoffMs: number;
  /** Maximum delay between attempts, in milliseconds. */
  readonly backoffMaxMs: number;
}

/** Time after which a call counts as slow, in milliseconds. Waiting costs nothing, so the worker claims another order. */
const SLOW_MS = 500;

/** Progress at a step that was not called before. */
const FIRST_ATTEMPT = { attempts: 0, lastError: null };

/** An order that this worker has claimed. */
interface LeasedOrder {
  readonly order: ClaimedOrder;
  /** End of the lease, in terms of performance.now(). */
  until: number;
}

/**
 * Processes several orders at once; any number of replicas may share a database. An order belongs to one worker as long as
 * the worker renews its lease. A worker makes no call during which its lease could end. One that was suspended for longer makes no more calls
 * when it resumes, and its writes match no row.
 */
export class SagaWorker {
  readonly #options: WorkerOptions;
  readonly #inProgress = new Map<LeasedOrder, Promise<void>>();
  /** The orders that wait for a slow call. */
  readonly #waitingForCall = new Set<LeasedOrder>();
  readonly #timer = new WakeableTimer();
  /** True if the last claim was full, so that more orders may be due. */
  #moreMayBeDue = false;
  readonly #stopping = new AbortController();
  #claiming: Promise<void> | undefined;
  #renewals: NodeJS.Timeout | undefined;

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#claiming = this.#claimUntilStopped();
    this.#renewals = setInterval(
      () => void this.#renew([...this.#inProgress.keys()]),
      this.#options.leaseMs / 3,
    );
  }

  /** Polls for due orders immediately. */
  pollNow(): void {
    this.#timer.notify();
  }

  /** Stops claiming, waits for open calls, and gives up the leases so that other replicas can continue. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#timer.notify();
    await this.#claiming;
    await Promise.all(this.#inProgress.values());
    clearInterval(this.#renewals);
  }

  async #claimUntilStopped(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const free = this.#free;
      const claimed = free === 0 ? 0 : await this.#claim(free);
      this.#moreMayBeDue = claimed === free;
      if (free === 0 || claimed < free) await this.#timer.wait(this.#options.pollMs);
    }
  }

  /** Number of orders that can be claimed now. */
  get #free(): number {
    const { concurrency, maxWaiting } = this.#options;
    const busy = this.#inProgress.size - this.#waitingForCall.size;
    // An order becomes busy again after its slow call, even beyond the limit.
    return Math.max(
      0,
      Math.min(concurrency - busy, concurrency + maxWaiting - this.#inProgress.size),
    );
  }

  async #claim(count: number): Promise<number> {
    // Computed before the query, so that the lease ends here before it ends in the database.
    const until = performance.now() + this.#options.leaseMs;
    try {
      const orders = await this.#options.sagas.claim(count);
      for (const order of orders) this.#startProcessing({ order, until });
      return orders.length;
    } catch (error) {
      this.#logFailure(error);
      return 0;
    }
  }

  #startProcessing(leased: LeasedOrder): void {
    const processed = this.#process(leased)
      .then((isOurs) => {
        if (!isOurs)
          this.#log(leased.order).warn(
            "The lease has expired: another replica processes the order",
          );
      })
      // No data is lost: the lease expires and the order is claimed again.
      .catch((error: unknown) => this.#logFailure(error, leased.order))
      .finally(() => {
        this.#inProgress.delete(leased);
        if (this.#moreMayBeDue) this.#timer.notify();
      });
    this.#inProgress.set(leased, processed);
  }

  /** Processes an order until it ends or has to wait. Returns whether the lease was held throughout. */
  async #process(leased: LeasedOrder): Promise<boolean> {
    const { sagas } = this.#options;
    const { order } = leased;
    let progress: Progress = order;
    for (;;) {
      if (this.#stopping.signal.aborted) return sagas.reschedule(order, progress, 0);
      if (!(await this.#securesLease(leased))) return false;
      const next = await this.#callStep(leased, progress);
      if ("wait" in next) {
        const attempts = progress.attempts + 1;
        const waiting = { ...progress, attempts, lastError: next.wait };
        const pauseMs = this.#backoff(attempts);
        return this.#write(leased, () => sagas.reschedule(order, waiting, pauseMs));
      }
      if ("attention" in next) {
        const escalated = { ...progress, lastError: next.attention };
        return this.#write(leased, () => sagas.escalate(order, escalated));
      }
      const { reason: reasonBefore } = progress;
      if ("end" in next) {
        // An order that can't be cancelled any more has no reason.
        const why = next.end === "cancelled" ? reasonBefore : null;
        return this.#write(leased, () => sagas.end(order, next.end, why));
      }
      const { to, reason = reasonBefore } = next;
      // Otherwise each attempt at the reservation would be the first one, because the validation before it succeeds.
      const before = savedStep(to) === savedStep(progress.step) ? progress : FIRST_ATTEMPT;
      const reached: Progress = { ...before, step: to, reason };
      if (
        savedBeforeCall.has(to) &&
        !(await this.#write(leased, () => sagas.saveStep(order, reached)))
      )
        return false;
      progress = reached;
    }
  }

  /**
   * Writes an order's progress and retries while the lease is held, because nobody else claims the order before that. If a write
   * succeeded but its answer got lost, the retry matches no row, just as for a lost lease.
   */
  async #write(leased: LeasedOrder, write: () => Promise<boolean>): Promise<boolean> {
    const { signal } = this.#stopping;
    for (let logged = false; ; logged = true) {
      try {
        return await write();
      } catch (error) {
        if (signal.aborted || performance.now() >= leased.until) throw error;
        if (!logged) this.#logFailure(error, leased.order);
      }
      await delay(this.#options.pollMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Calls a service for a step and returns what to do next. */
  async #callStep(
    leased: LeasedOrder,
    { step, attempts }: Progress,
  ): Promise<Transition | { readonly wait: string } | { readonly attention: string }> {
    const { services, count, trace } = this.#options;
    const { order } = leased;
    const slow = setTimeout(() => {
      this.#waitingForCall.add(leased);
      if (this.#moreMayBeDue) this.#timer.notify();
    }, SLOW_MS);
    try {
      const call = () => saga[step].call(services, order);
      const answer = await trace(`saga ${step}`, call, order.traceparent);
      count(step, answer.refused ? "refused" : "done");
      const next = transitionFor(step, answer) ?? { attention: answer.text };
      if ("attention" in next) this.#log(order).error({ step }, "The order needs attention");
      if ("end" in next) this.#log(order).info({ status: next.end }, "The order has ended");
      return next;
    } catch (error) {
      if (error instanceof UpstreamError) {
        count(step, "unknown");
        // Logged once, because an outage causes hundreds of attempts. Metrics and the staff's list show the rest.
        if (attempts === 0) this.#log(order).warn({ step }, `${error.message}: will retry later`);
        return { wait: error.message };
      }
      // A bug of this service, or an answer that isn't JSON.
      this.#log(order).error({ step, err: error }, "The order needs attention");
      return { attention: error instanceof Error ? error.message : String(error) };
    } finally {
      clearTimeout(slow);
      this.#waitingForCall.delete(leased);
    }
  }

  /** Delay before the next attempt, in milliseconds. Random by up to half, so that orders that failed together don't retry together. */
  #backoff(attempts: number): number {
    const { backoffMs, backoffMaxMs } = this.#options;
    return Math.min(backoffMs * 2 ** (attempts - 1), backoffMaxMs) * (0.5 + Math.random() / 2);
  }

  /**
   * Renews a lease that could end during a call, for example because the last renewal failed: another replica would claim the order while
   * the call goes on. Returns true if the lease lasts.
   */
  async #securesLease(leased: LeasedOrder): Promise<boolean> {
    const lasts = (): boolean => leased.until - performance.now() > this.#options.leaseMs / 3;
    if (!lasts()) await this.#renew([leased]);
    return lasts();
  }

  async #renew(leased: readonly LeasedOrder[]): Promise<void> {
    if (leased.length === 0) return;
    const until = performance.now() + this.#options.leaseMs;
    try {
      const renewed = await this.#options.sagas.renew(leased.map(({ order }) => order));
      for (const one of leased) one.until = renewed.has(one.order.lease + one.order.id) ? until : 0;
    } catch (error) {
      this.#logFailure(error);
    }
  }

  /** Logger with the ID of the request that placed the order. The order's own ID grants access, so it isn't logged. */
  #log({ requestId }: ClaimedOrder): Log {
    return this.#options.log.child({ requestId });
  }

  #logFailure(error: unknown, order?: ClaimedOrder): void {
    // The kit has already logged that the database is unreachable.
    if (error instanceof DatabaseUnavailable) return;
    const log = order === undefined ? this.#options.log : this.#log(order);
    log.error({ err: error }, "Failed to read or write an order's progress");
  }
}
