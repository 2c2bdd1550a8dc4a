/**
 * A store on several machines that containers play, as in `./store rehearse --hosts`: time of `up` and of a preview without changes by the
 * number of machines; catalogue requests and orders a second by the number of workers; and a change by `./store up` against
 * `docker stack deploy`. Each instance has a tenth of a core, so that more workers can do more on a machine with few cores.
 *
 *     npx tsx bench/swarm.ts [rounds] [numbers of machines]
 *
 * Linux only.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { docker } from "@store/azure-emulator/docker";
import { machineName } from "@store/azure-emulator/machine/names";
import { findDocker } from "@store/toolchain/tools/docker";
import { Load } from "../test/integration/support/load";
import { RehearsalContext, STACK } from "../test/staging/context";
import { prepare, up } from "../test/staging/steps/deploySteps";
import { workersOf } from "../test/staging/steps/swarmSteps";
import { REPOSITORY } from "./emptyProgram";
import { median, printTable } from "./measure";
import { addProduct, type BenchStore, placeAndFinish } from "./orders";

const PREVIEWS = 3;
const CORES = "0.1";
const ORDERS = 60;
const LOAD_SECONDS = 10;
const SERVICES = ["inventory", "orders", "storefront", "billing", "shipping"];
const SOURCE = "services/inventory/src/main.ts";
const CHANGE = "// Another content of the image.\n";

async function main(): Promise<void> {
  const [rounds = 2, ...sizes] = process.argv.slice(2).map(Number);
  const numbers = sizes.length > 0 ? sizes : [1, 2, 3, 4];
  const times: string[][] = [];
  for (const hosts of numbers) {
    const context = await createContext(hosts);
    try {
      times.push(await timesOf(context, hosts));
      if (hosts !== Math.max(...numbers) || hosts < 3) continue;
      printTable(["machines", "up from nothing, s", "preview without changes, s"], times);
      await compareWorkers(context, rounds);
      await compareWithStack(context, rounds);
    } finally {
      await context.dispose();
    }
  }
}

async function createContext(hosts: number): Promise<RehearsalContext> {
  const found = await findDocker();
  return new RehearsalContext({
    ...{ root: REPOSITORY, dockerHost: found.host, latencyFactor: 0, host: "ssh", hosts },
    registry: "named",
    report: { step: () => undefined, progress: () => undefined, note: () => undefined },
  });
}

/** Brings the stack up. Its images are built by then: the largest stack's time isn't that of a build. */
async function timesOf(context: RehearsalContext, hosts: number): Promise<string[]> {
  await prepare(context);
  context.configureForGood({ "store:replicas": replicas(Math.max(1, hosts - 1)) });
  const first = await timed(() => up(context));
  const previews: number[] = [];
  for (let round = 0; round < PREVIEWS; round++)
    previews.push(await timed(() => context.workspace.succeed("preview", STACK)));
  console.error(
    `${hosts} machines: up ${first.toFixed(1)} s, preview ${median(previews).toFixed(1)} s`,
  );
  return [String(hosts), first.toFixed(1), median(previews).toFixed(1)];
}

/** Compares the load that the store carries with one worker and with more, in turn. */
async function compareWorkers(context: RehearsalContext, rounds: number): Promise<void> {
  const all = workersOf(context);
  const store = storeOf(context);
  const staff = await addProduct(store);
  const results = all.map(() => ({
    requests: [] as number[],
    orders: [] as number[],
    up: [] as number[],
  }));
  for (let round = 0; round < rounds; round++)
    for (const [i, result] of results.entries()) {
      context.configureWorkers(i + 1);
      context.configureForGood({ "store:replicas": replicas(i + 1) });
      result.up.push(await timed(() => context.workspace.succeed("up", STACK, "--yes")));
      await limitInstances(context);
      const load = Load.on(`${store.url}/api/inventory/products?limit=20`, 16);
      await new Promise((done) => setTimeout(done, LOAD_SECONDS * 1_000));
      const { requests, failures } = await load.stop();
      if (failures.length > 0) throw new Error(`Requests failed: ${failures[0] ?? ""}`);
      result.requests.push(requests / LOAD_SECONDS);
      result.orders.push(await placeAndFinish(store, ORDERS, staff, new AbortController().signal));
      console.error(`${i + 1} workers: ${JSON.stringify(result)}`);
    }
  const [one] = results;
  printTable(
    [
      "workers",
      "catalogue requests/s",
      "to one",
      "orders/s",
      "to one",
      "up from the number before, s",
    ],
    results.map(({ requests, orders, up: times }, i) => [
      String(i + 1),
      median(requests).toFixed(0),
      (median(requests) / median(one?.requests ?? [])).toFixed(2),
      median(orders).toFixed(1),
      (median(orders) / median(one?.orders ?? [])).toFixed(2),
      median(times).toFixed(1),
    ]),
  );
}

/** Gives each instance on the workers its share of a core. */
async function limitInstances(context: RehearsalContext): Promise<void> {
  const script = `docker ps --quiet | xargs -r docker update --cpus ${CORES} >/dev/null`;
  for (const { vmId } of workersOf(context))
    await docker("exec", machineName(context.id, vmId), "sh", "-c", script);
}

/**
 * Changes the content of inventory by `./store up` and by `docker stack deploy`, which starts each instance before it stops the old one. Both
 * images are built and pushed before.
 */
async function compareWithStack(context: RehearsalContext, rounds: number): Promise<void> {
  const { workspace } = context;
  const rows: string[][] = [];
  const change = (isChanged: boolean): void =>
    isChanged ? workspace.edit(SOURCE, "", CHANGE) : workspace.edit(SOURCE, CHANGE, "");
  const images: string[] = [];
  for (let round = 0; round < 2 * rounds + 2; round++) {
    change(round % 2 === 0);
    const row = await underLoad(context, () => workspace.succeed("up", STACK, "--yes"));
    // The first two build the images.
    if (round < 2) images.push(await imageOf(context, "inventory"));
    else rows.push([`./store up (${round - 1})`, ...row]);
  }
  const deploy = await stackDeployment(context);
  await deploy(images[0] ?? "");
  await context.dockerOnHost("service", "rm", (await idOf(context, "inventory")) ?? "");
  for (let round = 1; round <= 2 * rounds; round++) {
    const row = await underLoad(context, () => deploy(images[round % 2] ?? ""));
    rows.push([`docker stack deploy (${round})`, ...row]);
  }
  printTable(["", "s", "requests lost", "longest gap ms"], rows);
}

async function underLoad(
  context: RehearsalContext,
  action: () => Promise<unknown>,
): Promise<string[]> {
  const load = Load.on(`${storeOf(context).url}/api/inventory/products`);
  const seconds = await timed(action);
  const { requests, failures, longestGapMs } = await load.stop();
  return [seconds.toFixed(1), `${failures.length} of ${requests}`, String(longestGapMs)];
}

interface Inspected {
  readonly Spec: {
    readonly TaskTemplate: {
      readonly ContainerSpec: {
        readonly Image: string;
        readonly User: string;
        readonly Env: readonly string[];
        readonly Healthcheck: {
          readonly Test: readonly string[];
          readonly Interval: number;
          readonly Timeout: number;
          /** Absent if it is zero. */
          readonly StartPeriod?: number;
          readonly Retries: number;
        };
        readonly Secrets: readonly {
          readonly File: { readonly Name: string };
          readonly SecretName: string;
        }[];
      };
      readonly Networks: readonly {
        readonly Target: string;
        readonly Aliases?: readonly string[];
      }[];
    };
    readonly Mode: { readonly Replicated: { readonly Replicas: number } };
  };
}

/** Returns a function that deploys the store's inventory with an image as a stack, and waits until it is up. */
async function stackDeployment(
  context: RehearsalContext,
): Promise<(image: string) => Promise<unknown>> {
  const [inspected] = JSON.parse(
    await context.dockerOnHost("service", "inspect", (await idOf(context, "inventory")) ?? ""),
  ) as Inspected[];
  if (inspected === undefined) throw new Error("The stack has no service inventory.");
  const { TaskTemplate: task, Mode } = inspected.Spec;
  const { ContainerSpec: container } = task;
  const check = container.Healthcheck;
  const file = {
    services: {
      inventory: {
        ...{
          user: container.User,
          environment: escaped(container.Env),
          read_only: true,
          init: true,
        },
        ...{ cap_drop: ["ALL"], tmpfs: ["/tmp"] },
        healthcheck: {
          test: escaped(check.Test),
          interval: `${check.Interval}ns`,
          timeout: `${check.Timeout}ns`,
          start_period: `${check.StartPeriod ?? 0}ns`,
          retries: check.Retries,
        },
        secrets: container.Secrets.map(({ SecretName, File }) => ({
          ...{ source: SecretName, target: File.Name },
        })),
        networks: Object.fromEntries(
          task.Networks.map(({ Target, Aliases }) => [Target, { aliases: Aliases ?? [] }]),
        ),
        deploy: {
          ...{ replicas: Mode.Replicated.Replicas, endpoint_mode: "dnsrr" },
          update_config: { order: "start-first", parallelism: 1, delay: "0s" },
          placement: { constraints: ["node.labels.dev.store.worker==true"] },
        },
      },
    },
    secrets: Object.fromEntries(
      container.Secrets.map(({ SecretName }) => [SecretName, { external: true }]),
    ),
    networks: Object.fromEntries(
      await Promise.all(
        task.Networks.map(async ({ Target }): Promise<[string, object]> => {
          const name = await context.dockerOnHost(
            "network",
            "inspect",
            Target,
            "--format",
            "{{.Name}}",
          );
          return [Target, { external: true, name }];
        }),
      ),
    ),
  };
  const { address, username, password } = context.emulator.ready.registry;
  await context.onHost("docker", "login", "--username", username, "--password", password, address);
  return (image) => {
    const services = { inventory: { ...file.services.inventory, image } };
    const text = JSON.stringify({ version: "3.8", ...file, services });
    const encoded = Buffer.from(text).toString("base64");
    return context.onHost("sh", "-c", DEPLOY, "sh", encoded, String(Mode.Replicated.Replicas));
  };
}

const DEPLOY = readFileSync(join(__dirname, "deployStack.sh"), "utf8");

async function idOf(context: RehearsalContext, service: string): Promise<string | undefined> {
  const format = ["--format", "{{.ID}} {{.Name}}"];
  const list = await context.dockerOnHost("service", "ls", ...format);
  const line = list.split("\n").find((one) => one.split(" ")[1]?.startsWith(`${service}-`));
  return line?.split(" ")[0];
}

async function imageOf(context: RehearsalContext, service: string): Promise<string> {
  const format = "{{.Spec.TaskTemplate.ContainerSpec.Image}}";
  const id = (await idOf(context, service)) ?? "";
  return context.dockerOnHost("service", "inspect", id, "--format", format);
}

function storeOf({ emulator, workspace }: RehearsalContext): BenchStore {
  const url = `http://${emulator.publicAddress() ?? ""}`;
  return {
    url,
    succeed: (command, ...args) => workspace.succeed(command, "-s", STACK, ...args),
    json: async <T>(path: string, headers?: Readonly<Record<string, string>>): Promise<T> =>
      (await (await fetch(url + path, { headers })).json()) as T,
  };
}

/** Escapes variables, which Compose would replace. */
function escaped(words: readonly string[]): string[] {
  // "$$" stands for one $ in a replacement.
  return words.map((word) => word.replaceAll("$", "$$$$"));
}

function replicas(count: number): Record<string, number> {
  return Object.fromEntries(SERVICES.map((service) => [service, count]));
}

async function timed(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return (performance.now() - start) / 1_000;
}

void main();
