import { join } from "node:path";
import { run } from "../test/support/run";

export const CONNECTIONS = 32;

export interface Load {
  readonly perSecond: number;
  /** Histogram: latency in microseconds and number of requests. */
  readonly latencies: readonly (readonly [microseconds: number, requests: number])[];
}

/** Loads a URL with wrk, by {@link CONNECTIONS} connections. @param rate Requests/s. @default full load */
export async function load(
  wrk: string,
  url: string,
  { seconds, rate }: { readonly seconds: number; readonly rate?: number },
): Promise<Load> {
  const { code, output } = await run(
    wrk,
    [
      ...["--threads", "1", "--connections", String(CONNECTIONS)],
      ...["--duration", `${seconds}s`, "--script", join(__dirname, "wrk.lua"), url],
    ],
    undefined,
    rate === undefined ? process.env : { ...process.env, RATE: String(rate) },
  );
  const [json] = /^\{.*\}$/m.exec(output) ?? [];
  if (code !== 0 || json === undefined) throw new Error(`wrk: ${output}`);
  const result = JSON.parse(json) as {
    readonly requests: number;
    readonly seconds: number;
    readonly failed: readonly string[];
    readonly latencies: Load["latencies"];
  };
  const { requests, failed, latencies } = result;
  if (failed.length > 0) {
    throw new Error(
      `Requests to ${url} failed (${failed.join(", ")}), so the measurement is invalid`,
    );
  }
  return { perSecond: requests / result.seconds, latencies };
}
