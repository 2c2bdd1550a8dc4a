/**
 * Duration of `up` after a change of one service's source, with the number of built images and replaced containers. Runs in a copy of
 * the repository with its own stack, which is removed at the end.
 *
 *     npx tsx bench/one-service.ts [rounds]
 */
import { Load } from "../test/integration/support/load";
import { TestStore } from "../test/integration/support/testStore";
import { printTable } from "./measure";

async function main(): Promise<void> {
  const rounds = Number(process.argv[2] ?? 3);
  const store = await TestStore.create();
  try {
    const rows: string[][] = [];
    const first = await timed(() => store.succeed("up"));
    rows.push(["up from nothing", first.toFixed(1), "", "", "", ""]);
    for (let round = 1; round <= rounds; round++) {
      const before = await store.running();
      store.edit("services/inventory/src/main.ts", "", `// ${round}\n`);
      const load = Load.on(`${store.url}/api/inventory/products`);
      let output = "";
      const seconds = await timed(async () => (output = await store.succeed("up")));
      const { requests, failures, longestGapMs } = await load.stop();
      const after = await store.running();
      rows.push([
        `up, inventory changed (${round})`,
        seconds.toFixed(1),
        String(new Set(output.match(/\S+-image:[0-9a-f]+ created/g)).size),
        String([...after].filter(([name, id]) => before.get(name) !== id).length),
        `${failures.length} of ${requests}`,
        String(longestGapMs),
      ]);
    }
    printTable(
      ["", "s", "images built", "containers replaced", "requests lost", "longest gap ms"],
      rows,
    );
  } finally {
    await store.dispose();
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = Date.now();
  await work();
  return (Date.now() - start) / 1000;
}

void main();
