import { randomInt } from "node:crypto";

/**
 * Returns a free port outside of the ephemeral range (from 32768 on Linux, from 49152 on macOS), so that no outgoing connection takes
 * it while its server restarts. The candidates are random, because several test runs search at the same time.
 */
export async function freePort(): Promise<number> {
  const { default: getPort } = await import("get-port");
  const port = Array.from({ length: 100 }, () => randomInt(20_000, 32_000));
  return getPort({ host: "127.0.0.1", port });
}
