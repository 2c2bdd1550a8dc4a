import type { Clock } from "./clock";
import type { Hardware } from "./hardware";

export interface CloudOptions {
  /** File with the state, JSON. */
  readonly file: string;
  readonly hardware: Hardware;
  readonly registryAddress: string;
  /** Multiplies the typical duration of each request in Azure: 1 is as slow as Azure, 0 is without delay. */
  readonly latencyFactor: number;
  /** Returns the active faults. */
  readonly faults: () => readonly string[];
  /** Called when a fault has occurred that occurs only once. */
  readonly onFaultOccurred: (fault: string) => void;
  /** @default the machine's clock */
  readonly clock?: Clock;
}
