import { setTimeout as sleep } from "node:timers/promises";

/** Time of the emulated cloud. Tests replace it, because some of Azure's rules last minutes. */
export interface Clock {
  /** Returns the time in milliseconds. */
  now(): number;
  /** Waits. @throws the signal's reason when it is aborted. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

export const REAL_CLOCK: Clock = {
  now: () => Date.now(),
  sleep: async (milliseconds, signal) => {
    await sleep(milliseconds, undefined, { signal });
  },
};
