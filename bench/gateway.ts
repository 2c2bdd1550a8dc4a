/**
 * Overhead of the gateway: the product list through the gateway, and directly from the service.
 *
 * First at full load: wrk keeps 32 connections busy. Then both at the same rate, at 25 % and 50 % of the service's throughput:
 * latencies are comparable only at equal load. Measurements are slices of 2 s, alternating between the two targets; at equal load also
 * with both targets at the same time and half of the requests each, because disturbances by the machine, PostgreSQL and garbage collection
 * affect p99 more than the gateway does, and then affect both targets alike. Latencies are those of all slices together.
 * Runs in a copy of the repository with its own stack, which is removed at the end.
 *
 *     npx tsx bench/gateway.ts [rounds]
 *
 * Linux only: elsewhere the services' IP addresses can't be reached from the host.
 */
import { reporter } from "@store/cli/terminal/terminal";
import { TestStore } from "../test/integration/support/testStore";
import { ensureWrk } from "@store/toolchain/tools/wrk";
import { addressOf, containerOf } from "./containers";
import { median, printTable } from "./measure";
import { CONNECTIONS, load, type Load } from "./wrk";

const PATH = "/api/inventory/products?limit=20";
const SLICE_SECONDS = 2;
/** Port in the gateway's container, see components/gateway. */
const PUBLISHED_PORT = 8080;

type Target = "direct" | "gateway";

async function main(): Promise<void> {
  const rounds = Number(process.argv[2] ?? 30);
  const wrk = await ensureWrk(reporter());
  const store = await TestStore.create();
  try {
    await store.succeed("up");
    const targets: Record<Target, string> = {
      direct: `http://${await addressOf(await containerOf(store, "inventory"))}:3000${PATH}`,
      // The container's IP address, like the service's: the published port would add Docker's proxy.
      gateway: `http://${await addressOf(await containerOf(store, "gateway"))}:${PUBLISHED_PORT}${PATH}`,
    };

    const fullLoad = await inTurn(targets, rounds, (url) =>
      load(wrk, url, { seconds: SLICE_SECONDS }),
    );
    const directThroughput = median(fullLoad.map(({ direct }) => direct.perSecond));
    print(`full load, ${CONNECTIONS} connections`, fullLoad);

    for (const share of [0.25, 0.5]) {
      const rate = Math.round(directThroughput * share);
      print(
        `${rate} requests/s, alternating`,
        await inTurn(targets, rounds, (url) => load(wrk, url, { seconds: SLICE_SECONDS, rate })),
      );
      print(
        `${rate} requests/s, at the same time`,
        await sideBySide(targets, rounds, (url) =>
          load(wrk, url, { seconds: SLICE_SECONDS, rate: rate / 2 }),
        ),
      );
    }
  } finally {
    await store.dispose();
  }
}

/** Measures both targets one after the other, in alternating order. */
function inTurn(
  targets: Record<Target, string>,
  rounds: number,
  measure: (url: string) => Promise<Load>,
): Promise<Record<Target, Load>[]> {
  return inRounds(rounds, async (round) => {
    const first = round % 2 === 0 ? await measure(targets.direct) : undefined;
    const gateway = await measure(targets.gateway);
    return { gateway, direct: first ?? (await measure(targets.direct)) };
  });
}

/** Measures both targets at the same time. */
function sideBySide(
  targets: Record<Target, string>,
  rounds: number,
  measure: (url: string) => Promise<Load>,
): Promise<Record<Target, Load>[]> {
  return inRounds(rounds, async () => {
    const [direct, gateway] = await Promise.all([
      measure(targets.direct),
      measure(targets.gateway),
    ]);
    return { direct, gateway };
  });
}

/** Repeats a measurement after two warm-up rounds. */
async function inRounds<T>(rounds: number, measure: (round: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let round = -2; round < rounds; round++) {
    const result = await measure(round);
    if (round >= 0) results.push(result);
  }
  return results;
}

function print(title: string, runs: readonly Record<Target, Load>[]): void {
  const perSecond = (target: Target): number => median(runs.map((one) => one[target].perSecond));
  const milliseconds = (target: Target, share: number): number =>
    percentile(
      runs.flatMap((one) => one[target].latencies),
      share,
    ) / 1000;
  const row = (target: Target): string[] => [
    target,
    perSecond(target).toFixed(0),
    milliseconds(target, 0.5).toFixed(2),
    milliseconds(target, 0.99).toFixed(1),
  ];
  printTable(
    [title, "requests/s", "p50 ms", "p99 ms", "ratio to direct", "p50 added ms", "p99 added ms"],
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

/** Returns a percentile of the latencies. */
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
