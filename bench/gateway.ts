/**
 * What the gateway costs: the catalogue through it, and asked of the service itself.
 *
 * First as much as goes: wrk keeps 32 connections busy. Then both at the same rate, a quarter and half of what the service alone can
 * answer: only there are latencies comparable, since whoever is asked for all that he can give answers the later the less he can give.
 * In slices of two seconds, one way after the other, and at equal load once more with both ways at the same time, half of the requests
 * each: what the machine, PostgreSQL and the collector of garbage do just then decides the slowest hundredth of the requests, by more
 * than a gateway does, and only then it hits both ways alike. Latencies are those of all slices together.
 * Works on a copy of this checkout with a store of its own, which it takes down again.
 *
 *     npx tsx bench/gateway.ts [rounds]
 *
 * On Linux only: elsewhere the services' own addresses can't be reached from outside of Docker.
 */
import { join } from "node:path";
import { reporter } from "@store/cli/terminal/terminal";
import { run, TestStore } from "../test/integration/testStore";
import { ensureWrk } from "@store/toolchain/tools/wrk";
import { addressOf, containerOf } from "./containers";
import { median, printTable } from "./measure";

const PATH = "/api/inventory/products?limit=20";
const CONNECTIONS = 32;
const SLICE_SECONDS = 2;
/** In the gateway's container: see components/gateway/haproxy.ts. */
const PUBLISHED_PORT = 8080;

type Way = "direct" | "gateway";

async function main(): Promise<void> {
  const rounds = Number(process.argv[2] ?? 30);
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
    const alone = median(most.map(({ direct }) => direct.perSecond));
    print(`as much as goes, ${CONNECTIONS} connections`, most);

    for (const share of [0.25, 0.5]) {
      const rate = Math.round(alone * share);
      print(
        `${rate} requests/s, in turn`,
        await inTurn(ways, rounds, (url) => load(wrk, url, rate)),
      );
      print(
        `${rate} requests/s, at the same time`,
        await sideBySide(ways, rounds, (url) => load(wrk, url, rate / 2)),
      );
    }
  } finally {
    await store.dispose();
  }
}

interface Load {
  readonly perSecond: number;
  /** Microseconds, and how many requests took as long. */
  readonly latencies: readonly (readonly [microseconds: number, requests: number])[];
}

/** One way after the other, now one first and now the other. */
function inTurn(
  ways: Record<Way, string>,
  rounds: number,
  measure: (url: string) => Promise<Load>,
): Promise<Record<Way, Load>[]> {
  return inRounds(rounds, async (round) => {
    const first = round % 2 === 0 ? await measure(ways.direct) : undefined;
    const gateway = await measure(ways.gateway);
    return { gateway, direct: first ?? (await measure(ways.direct)) };
  });
}

/** Both ways at once. */
function sideBySide(
  ways: Record<Way, string>,
  rounds: number,
  measure: (url: string) => Promise<Load>,
): Promise<Record<Way, Load>[]> {
  return inRounds(rounds, async () => {
    const [direct, gateway] = await Promise.all([measure(ways.direct), measure(ways.gateway)]);
    return { direct, gateway };
  });
}

/** After two rounds that don't count. */
async function inRounds<T>(rounds: number, measure: (round: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let round = -2; round < rounds; round++) {
    const result = await measure(round);
    if (round >= 0) results.push(result);
  }
  return results;
}

/** @param rate Requests a second; without it as much as goes. */
async function load(wrk: string, url: string, rate?: number): Promise<Load> {
  const { code, output } = await run(
    wrk,
    [
      ...["--threads", "1", "--connections", String(CONNECTIONS)],
      ...["--duration", `${SLICE_SECONDS}s`, "--script", join(__dirname, "wrk.lua"), url],
    ],
    undefined,
    rate === undefined ? process.env : { ...process.env, RATE: String(rate) },
  );
  const [json] = /^\{.*\}$/m.exec(output) ?? [];
  if (code !== 0 || json === undefined) throw new Error(`wrk: ${output}`);
  const { requests, seconds, failed, latencies } = JSON.parse(json) as {
    readonly requests: number;
    readonly seconds: number;
    readonly failed: number;
    readonly latencies: Load["latencies"];
  };
  if (failed !== 0) throw new Error(`${failed} requests of ${url} failed: that is no measurement`);
  return { perSecond: requests / seconds, latencies };
}

function print(title: string, runs: readonly Record<Way, Load>[]): void {
  const perSecond = (way: Way): number => median(runs.map((one) => one[way].perSecond));
  const milliseconds = (way: Way, share: number): number =>
    percentile(
      runs.flatMap((one) => one[way].latencies),
      share,
    ) / 1000;
  const row = (way: Way): string[] => [
    way,
    perSecond(way).toFixed(0),
    milliseconds(way, 0.5).toFixed(2),
    milliseconds(way, 0.99).toFixed(1),
  ];
  printTable(
    [title, "requests/s", "p50 ms", "p99 ms", "to direct", "p50 later by ms", "p99 later by ms"],
    [
      [...row("direct"), "", "", ""],
      [
        ...row("gateway"),
        median(runs.map((one) => one.gateway.perSecond / one.direct.perSecond)).toFixed(2),
        (milliseconds("gateway", 0.5) - milliseconds("direct", 0.5)).toFixed(2),
        (milliseconds("gateway", 0.99) - milliseconds("direct", 0.99)).toFixed(1),
      ],
    ],
  );
}

/** The value that this share of the requests doesn't exceed. */
function percentile(latencies: Load["latencies"], share: number): number {
  const total = latencies.reduce((sum, [, requests]) => sum + requests, 0);
  let below = 0;
  for (const [value, requests] of [...latencies].sort(([a], [b]) => a - b)) {
    below += requests;
    if (below >= share * total) return value;
  }
  return NaN;
}

void main();
