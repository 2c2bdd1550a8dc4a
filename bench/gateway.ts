/**
 * What the gateway costs: the catalogue through it, and asked of the service itself.
 *
 * First as much as goes: wrk keeps 32 connections busy. Then both at the same rate, half of what the service alone can answer: only
 * there are latencies comparable, since whoever is asked for all that he can give answers the later the less he can give.
 * Works on a copy of this checkout with a store of its own, which it takes down again.
 *
 *     npx tsx bench/gateway.ts [rounds]
 *
 * On Linux only: elsewhere the services' own addresses can't be reached from outside of Docker.
 */
import { join } from "node:path";
import { reporter } from "../cli/terminal";
import { run, TestStore } from "../test/integration/testStore";
import { ensureWrk } from "../toolchain/wrk";
import { addressOf, containerOf } from "./containers";
import { median, printTable } from "./measure";

const PATH = "/api/inventory/products?limit=20";
const CONNECTIONS = 32;
/** Twice what lies between two health checks, which cost a good part of a core while they run. */
const SECONDS = 10;
/** In the gateway's container: see components/haproxy.ts. */
const PUBLISHED_PORT = 8080;

type Way = "direct" | "gateway";

async function main(): Promise<void> {
  const rounds = Number(process.argv[2] ?? 5);
  const wrk = await ensureWrk(reporter());
  const store = await TestStore.create();
  try {
    await store.succeed("up");
    const ways: Record<Way, string> = {
      direct: `http://${await addressOf(await containerOf(store, "inventory"))}:3000${PATH}`,
      // At its container, as the service is: on this machine's own address Docker's proxy would stand in between.
      gateway: `http://${await addressOf(await containerOf(store, "gateway"))}:${PUBLISHED_PORT}${PATH}`,
    };

    const most = await inTurn(ways, rounds, (url) => load(wrk, url));
    const rate = Math.round(median(most.map(({ direct }) => direct.perSecond)) / 2);
    print(`as much as goes, ${CONNECTIONS} connections`, most);

    print(`${rate} requests/s`, await inTurn(ways, rounds, (url) => load(wrk, url, rate)));
  } finally {
    await store.dispose();
  }
}

interface Load {
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

/** One way after the other in each round, after one round that doesn't count. */
async function inTurn(
  ways: Record<Way, string>,
  rounds: number,
  measure: (url: string) => Promise<Load>,
): Promise<Record<Way, Load>[]> {
  const results: Record<Way, Load>[] = [];
  for (let round = 0; round <= rounds; round++) {
    const result = { direct: await measure(ways.direct), gateway: await measure(ways.gateway) };
    if (round > 0) results.push(result);
  }
  return results;
}

/** @param rate Requests a second; without it as much as goes. */
async function load(wrk: string, url: string, rate?: number): Promise<Load> {
  const { code, output } = await run(
    wrk,
    [
      ...["--threads", "1", "--connections", String(CONNECTIONS), "--duration", `${SECONDS}s`],
      ...["--script", join(__dirname, "wrk.lua"), url],
    ],
    undefined,
    rate === undefined ? process.env : { ...process.env, RATE: String(rate) },
  );
  const [json] = /^\{.*\}$/m.exec(output) ?? [];
  if (code !== 0 || json === undefined) throw new Error(`wrk: ${output}`);
  const { requests, seconds, failed, p50, p99 } = JSON.parse(json) as Record<string, number>;
  if (failed !== 0) throw new Error(`${failed} requests of ${url} failed: that is no measurement`);
  return { perSecond: (requests ?? NaN) / (seconds ?? NaN), p50: p50 ?? NaN, p99: p99 ?? NaN };
}

function print(title: string, runs: readonly Record<Way, Load>[]): void {
  const of = (way: Way, what: keyof Load): number => median(runs.map((one) => one[way][what]));
  const row = (way: Way): string[] => [
    way,
    of(way, "perSecond").toFixed(0),
    of(way, "p50").toFixed(1),
    of(way, "p99").toFixed(1),
  ];
  printTable(
    [title, "requests/s", "p50 ms", "p99 ms", "to direct", "p99 later by ms"],
    [
      [...row("direct"), "", ""],
      [
        ...row("gateway"),
        median(runs.map((one) => one.gateway.perSecond / one.direct.perSecond)).toFixed(2),
        median(runs.map((one) => one.gateway.p99 - one.direct.p99)).toFixed(1),
      ],
    ],
  );
}

void main();
