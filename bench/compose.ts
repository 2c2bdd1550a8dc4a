/**
 * Compares `./store up` with `docker compose up -d --build --wait` after a change of one service's source: duration and lost requests. Compose
 * runs the same containers, on the networks and volumes of the store's stack. Needs the Compose plugin of the docker command. Runs in a copy of
 * the repository with its own stack, which is removed at the end.
 *
 *     npx tsx bench/compose.ts [rounds]
 */
import { join } from "node:path";
import { stringify } from "yaml";
import { Load } from "../test/integration/support/load";
import { run, succeed } from "../test/support/run";
import { TestStore } from "../test/integration/support/testStore";
import { printTable } from "./measure";
import { Build, composeFile, InspectedContainer } from "./compose/composeFile";

const COMPOSE_FILE = ".store/compose.yaml";

async function main(): Promise<void> {
  const rounds = Number(process.argv[2] ?? 3);
  await succeed("docker", "compose", "version");
  const store = await TestStore.create();
  const compose = [
    "compose",
    "--file",
    join(store.folder, COMPOSE_FILE),
    "--project-name",
    store.stack,
  ];
  try {
    const rows: string[][] = [];
    await store.succeed("up");
    for (let round = 1; round <= rounds; round++)
      rows.push(await change(store, `./store up (${round})`, () => store.succeed("up")));

    await writeComposeFile(store);
    await succeed("docker", "stop", ...(await store.running()).values());
    const up = (): Promise<string> =>
      succeed("docker", ...compose, "up", "--detach", "--build", "--wait");
    await up();
    for (let round = 1; round <= rounds; round++)
      rows.push(await change(store, `docker compose up (${round})`, up));
    printTable(["", "s", "requests lost", "longest gap ms"], rows);
  } finally {
    await run("docker", [...compose, "down", "--rmi", "local"]);
    await store.dispose();
  }
}

/** Changes inventory, brings the change up under load and returns the table's row. */
async function change(
  store: TestStore,
  title: string,
  up: () => Promise<unknown>,
): Promise<string[]> {
  store.edit("services/inventory/src/main.ts", "", `// ${title}\n`);
  const load = Load.on(`${store.url}/api/inventory/products`);
  const start = Date.now();
  await up();
  const seconds = (Date.now() - start) / 1000;
  const { requests, failures, longestGapMs } = await load.stop();
  return [title, seconds.toFixed(1), `${failures.length} of ${requests}`, String(longestGapMs)];
}

async function writeComposeFile(store: TestStore): Promise<void> {
  const ids = (await store.containers()).map(({ id }) => id);
  const inspected = JSON.parse(await succeed("docker", "inspect", ...ids)) as InspectedContainer[];
  const model = composeFile(inspected, await builds(store));
  store.write(COMPOSE_FILE, stringify(model));
}

/** Returns the build of each service's image. */
async function builds(store: TestStore): Promise<Map<string, Build>> {
  const state = JSON.parse(await store.pulumi("stack", "export")) as {
    deployment: { resources: { type: string; inputs?: RemoteImageInputs }[] };
  };
  return new Map(
    state.deployment.resources.flatMap(({ type, inputs }): [string, Build][] => {
      const service = /^store\/([^:]+):/.exec(inputs?.name ?? "")?.[1];
      if (type !== "docker:index/remoteImage:RemoteImage" || !service || !inputs?.build) return [];
      const context = join(store.folder, "services", service);
      return [[service, { context, args: inputs.build.buildArgs ?? {} }]];
    }),
  );
}

interface RemoteImageInputs {
  readonly name?: string;
  readonly build?: { readonly buildArgs?: Record<string, string> };
}

void main();
