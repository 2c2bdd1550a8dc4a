/**
 * Orders and catalogue of an earlier commit's store against this checkout's: orders per second through the whole saga, the time from
 * POST to `confirmed`, and requests per second of the product list. Both stores are up at the same time, each brought up by its own
 * `./store`, and removed at the end. They are loaded in turn, A B, B A, …, so that only one of them is loaded at a time and a slow phase
 * of the machine affects both alike. A ratio is the median of the rounds' ratios; their range shows the noise.
 *
 *     npx tsx bench/releases.ts COMMIT [orders per round] [rounds]
 *
 * The commit's packages are this checkout's if the lock files agree, otherwise installed by `npm ci`. Linux only: elsewhere the gateway's
 * IP address can't be reached from the host.
 */
import { reporter } from "@store/cli/terminal/terminal";
import { ensureWrk } from "@store/toolchain/tools/wrk";
import { run } from "../test/support/run";
import { TestStore } from "../test/integration/support/testStore";
import { addressOf, containerOf } from "./containers";
import { median, percentile, printTable } from "./measure";
import { addProduct, CLIENTS, placeAndFinish, singleOrderTimes, StaffHeaders } from "./orders";
import { withStores } from "./withStores";
import { CONNECTIONS, load } from "./wrk";

const CATALOGUE = "/api/inventory/products?limit=20";
const CATALOGUE_SECONDS = 5;
/** Number of single orders per round. */
const SINGLE_ORDERS = 100;
/** Port in the gateway's container, see components/gateway. */
const PUBLISHED_PORT = 8080;

/** Measured values by their title in the table. */
const TITLES = {
  orders: `orders/s, ${CLIENTS} clients`,
  p50: "POST to confirmed, one at a time: p50 ms",
  p99: "POST to confirmed, one at a time: p99 ms",
  catalogue: `GET ${CATALOGUE}: requests/s, ${CONNECTIONS} connections`,
} as const;

type Value = keyof typeof TITLES;
type Round = Readonly<Record<Value, number>>;

interface Release {
  readonly store: TestStore;
  readonly staff: StaffHeaders;
  /** Address of the product list. */
  readonly catalogue: string;
  readonly rounds: Round[];
}

async function main(): Promise<void> {
  const [name = "", orders = 600, rounds = 10] = process.argv.slice(2);
  const commit = await shortCommit(name);
  const wrk = await ensureWrk(reporter());
  await withStores(async (create, stop) => {
    const before = await bringUp(await create({}, { commit }), stop);
    const after = await bringUp(await create(), stop);
    for (let round = 0; round <= Number(rounds); round++) {
      for (const release of round % 2 === 0 ? [before, after] : [after, before]) {
        const values = await measure(release, Number(orders), wrk, stop);
        // The first round is a warm-up.
        if (round > 0) release.rounds.push(values);
      }
    }
    printTable(
      [`${orders} orders a round, ${rounds} rounds`, commit, "this checkout", "ratio", "range"],
      (Object.keys(TITLES) as Value[]).map((value) => row(value, before.rounds, after.rounds)),
    );
  });
}

/** @throws Error if the repository has no such commit. */
async function shortCommit(name: string): Promise<string> {
  const { code, output } = await run("git", ["rev-parse", "--short", `${name}^{commit}`]);
  if (code === 0) return output.trim();
  throw new Error(
    `The repository has no commit "${name}". Usage: npx tsx bench/releases.ts COMMIT [orders per round] [rounds]`,
  );
}

async function bringUp(store: TestStore, stop: AbortSignal): Promise<Release> {
  stop.throwIfAborted();
  await store.succeed("up");
  stop.throwIfAborted();
  // The container's IP address: the published port would add Docker's proxy.
  const address = await addressOf(await containerOf(store, "gateway"));
  const catalogue = `http://${address}:${PUBLISHED_PORT}${CATALOGUE}`;
  return { store, staff: await addProduct(store), catalogue, rounds: [] };
}

async function measure(
  { store, staff, catalogue }: Release,
  orders: number,
  wrk: string,
  stop: AbortSignal,
): Promise<Round> {
  const perSecond = await placeAndFinish(store, orders, staff, stop);
  const times = await singleOrderTimes(store, SINGLE_ORDERS, stop);
  const list = await load(wrk, catalogue, { seconds: CATALOGUE_SECONDS });
  stop.throwIfAborted();
  return {
    orders: perSecond,
    p50: percentile(times, 0.5),
    p99: percentile(times, 0.99),
    catalogue: list.perSecond,
  };
}

function row(value: Value, before: readonly Round[], after: readonly Round[]): string[] {
  const ratios = after.map((round, i) => round[value] / (before[i]?.[value] ?? NaN));
  const ofMedian = (rounds: readonly Round[]): string =>
    median(rounds.map((round) => round[value])).toFixed(1);
  return [
    TITLES[value],
    ofMedian(before),
    ofMedian(after),
    median(ratios).toFixed(2),
    `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`,
  ];
}

void main();
