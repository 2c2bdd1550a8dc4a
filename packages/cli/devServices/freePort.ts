import { randomInt } from "node:crypto";

/**
 * Returns a port of 127.0.0.1 that is free, for a server that starts later or again. It is outside of the range that systems take for outgoing
 * connections (from 32768 on Linux, from 49152 on macOS), so that none takes it meanwhile. The candidates are random, because other
 * processes search at the same time.
 */
export async function freePort(): Promise<number> {
  const { default: getPort } = await import("get-port");
  const port = Array.from({ length: 100 }, () => randomInt(20_000, 32_000));
  return getPort({ host: "127.0.0.1", port });
}
