/**
 * Duration of `up` with HTTPS against without. On this machine, with a certificate of one's own: from nothing, and a preview without
 * changes. On the Azure emulator, with a certificate that is ordered: from nothing until the store serves. The stacks run in turn. All
 * images are built before the first recorded round, on the emulator once for each rehearsal.
 *
 *     npx tsx bench/https.ts [rounds on this machine] [rounds on the emulator]
 *
 * The emulator is for Linux only, like `./store rehearse`.
 */
import { freePort } from "@store/cli/devServices/freePort";
import { parseExport } from "@store/cli/state/checkpoint";
import { findDocker } from "@store/toolchain/tools/docker";
import { TestStore } from "../test/integration/support/testStore";
import { Rehearsal } from "../test/staging/rehearsal";
import { TestAuthority } from "../test/support/certificates";
import { REPOSITORY } from "./emptyProgram";
import { median, printTable } from "./measure";

const NAME = "shop.example.org";
const CERTIFICATE = "shop.pem";

/** Seconds by the name of what was measured; one for each round. */
type Times = Map<string, number[]>;

async function main(): Promise<void> {
  const [local = 5, emulated = 3] = process.argv.slice(2).map(Number);
  const [plain, https] = await compareStores(local);
  printRows("this machine, own certificate", plain, https);
  if (emulated === 0) return;
  const times: readonly [Times, Times] = [new Map(), new Map()];
  for (let round = 1; round <= emulated; round++) {
    await rehearse(false, times[0]);
    await rehearse(true, times[1]);
  }
  printRows("Azure emulator, ordered certificate", ...times);
}

function printRows(title: string, plain: Times, https: Times): void {
  printTable(
    [title, "HTTP", "HTTPS", "ratio"],
    [...plain].map(([name, values]) => {
      const [before, after] = [median(values), median(https.get(name) ?? [])];
      return [name, before.toFixed(1), after.toFixed(1), `${(after / before).toFixed(2)}×`];
    }),
  );
}

/** Measures a store without HTTPS and one with it, in turn. The first round is a warm-up. */
async function compareStores(rounds: number): Promise<readonly [Times, Times]> {
  const stores = [await TestStore.create(), await storeWithHttps()] as const;
  const times: readonly [Times, Times] = [new Map(), new Map()];
  try {
    for (let round = 0; round <= rounds; round++)
      for (const [i, store] of stores.entries()) {
        const ignored: Times = new Map();
        await measureStore(store, (round > 0 ? times[i] : undefined) ?? ignored);
      }
    return times;
  } finally {
    for (const store of stores) await store.dispose();
  }
}

async function storeWithHttps(): Promise<TestStore> {
  const authority = new TestAuthority();
  try {
    const store = await TestStore.create({
      ...{ domain: NAME, certificate: CERTIFICATE, httpsPort: await freePort() },
    });
    store.write(CERTIFICATE, authority.bundle({ names: [NAME] }));
    return store;
  } finally {
    authority.dispose();
  }
}

async function measureStore(store: TestStore, times: Times): Promise<void> {
  await record(times, "up from nothing, s", () => store.succeed("up"));
  await record(times, "preview without changes, s", () => store.succeed("preview"));
  const state = await store.pulumi("stack", "export");
  // ./store may print other lines around it.
  const { resources } = parseExport(state.slice(state.indexOf("{"), state.lastIndexOf("}") + 1));
  add(times, "resources", resources.length);
  await store.succeed("down", "--yes", "--volumes");
}

async function record(times: Times, name: string, action: () => Promise<unknown>): Promise<void> {
  const start = performance.now();
  await action();
  add(times, name, (performance.now() - start) / 1000);
}

function add(times: Times, name: string, value: number): void {
  times.set(name, [...(times.get(name) ?? []), value]);
}

/** Brings the staging stack up on the emulator, and takes it down. */
async function rehearse(https: boolean, times: Times): Promise<void> {
  const { host: dockerHost } = await findDocker();
  const rehearsal = new Rehearsal({
    ...{ root: REPOSITORY, dockerHost, latencyFactor: 0, faults: [], https },
    ...{ host: "azure", registry: "named" },
    report: { step: () => undefined, progress: () => undefined, note: () => undefined },
    onStep: ({ name, seconds }) => {
      console.error(`${https ? "HTTPS" : "HTTP"}, ${name}: ${seconds.toFixed(1)} s`);
      if (name === "up") add(times, "up from nothing until it serves, s", seconds);
    },
  });
  try {
    await rehearsal.bringUp();
    add(times, "resources", parseExport(await rehearsal.state()).resources.length);
    await rehearsal.down();
  } finally {
    await rehearsal.end();
  }
}

void main();
