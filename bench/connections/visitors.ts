/**
 * The visitors of bench/connections.ts: eight addresses, each of which opens a page again and again, on a new connection.
 *
 *     npx tsx bench/connections/visitors.ts HOST PORT SECONDS
 *
 * Prints {requests, failures, p50, p99} as JSON at the end, in milliseconds.
 */
import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { argument } from "./kinds";

const VISITORS = 8;
const PAUSE_MS = 20;

const host = argument(2);
const port = Number(argument(3));
const end = Date.now() + Number(argument(4)) * 1000;

const latencies: number[] = [];
let failures = 0;

async function visit(localAddress: string): Promise<void> {
  while (Date.now() < end) {
    const started = process.hrtime.bigint();
    const ok = await page(localAddress);
    if (ok) latencies.push(Number(process.hrtime.bigint() - started) / 1e6);
    else failures++;
    await sleep(PAUSE_MS);
  }
}

function page(localAddress: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host, port, localAddress, agent: false, timeout: 10_000 }, (response) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode === 200));
      response.once("error", () => resolve(false));
    });
    request.once("timeout", () => request.destroy());
    request.once("error", () => resolve(false));
  });
}

async function main(): Promise<void> {
  await Promise.all(Array.from({ length: VISITORS }, (_, i) => visit(`127.67.0.${i + 1}`)));
  latencies.sort((a, b) => a - b);
  const percentile = (share: number): number =>
    latencies[Math.floor(latencies.length * share)] ?? NaN;
  console.log(
    JSON.stringify({
      requests: latencies.length,
      failures,
      p50: percentile(0.5),
      p99: percentile(0.99),
    }),
  );
}

void main();
