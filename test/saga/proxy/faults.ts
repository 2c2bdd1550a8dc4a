import { seededRandom } from "./seededRandom.ts";

/**
 * The faults that the proxy injects.
 * dropRequest: closes the connection before the service gets the request; dropResponse: closes it after the request took effect;
 * unavailable: responds 503 without forwarding; delay: forwards late, possibly after the caller has given up; duplicate: forwards twice
 * at once; lateCall: forwards again much later, when the order's state may have changed.
 */
export const faults = [
  "dropRequest",
  "dropResponse",
  "unavailable",
  "delay",
  "duplicate",
  "lateCall",
] as const;
export type Fault = (typeof faults)[number];

/** The share of calls, from 0 to 1, that each fault affects. */
export type Profile = Readonly<Partial<Record<Fault, number>>>;

/** Returns the fault for the call with the given name, if any. Deterministic for a seed. */
export function drawFault(profile: Profile, seed: number, name: string): Fault | undefined {
  let left = seededRandom(seed, name);
  for (const fault of faults) {
    left -= profile[fault] ?? 0;
    if (left < 0) return fault;
  }
  return undefined;
}
