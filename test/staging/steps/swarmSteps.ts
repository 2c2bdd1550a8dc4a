import { setTimeout as sleep } from "node:timers/promises";
import { docker } from "@store/azure-emulator/docker";
import { machineName } from "@store/azure-emulator/machine/names";
import type { PlainMachine } from "@store/azure-emulator/machine/plainMachine";
import { CommandFailed } from "../../support/workspace";
import { type RehearsalContext, STACK } from "../context";
import type { BrowseResult } from "../storeProbe";

/** Limit for Swarm to notice that a machine is lost and to start its instances elsewhere, in milliseconds. Measured: 20 s. */
const REPAIR_LIMIT_MS = 180_000;

/** A row of `./store ps --json`. */
interface Row {
  readonly service: string;
  readonly state: string;
  readonly node?: string;
}

async function instances(context: RehearsalContext): Promise<Row[]> {
  const output = await context.workspace.succeed("ps", STACK, "--json");
  // ./store may print notes before and after the list.
  const list = output.slice(output.indexOf("["), output.lastIndexOf("\n]") + 2);
  const rows = JSON.parse(list) as Row[];
  return rows.filter(({ node }) => node !== undefined);
}

function workersOf({ emulator }: RehearsalContext): readonly PlainMachine[] {
  return emulator.ready.machines.slice(1);
}

/** Host name of a plain machine, which Swarm shows. */
function nodeName({ address }: PlainMachine): string {
  return `plain-${address.split(".").at(-1) ?? ""}`;
}

/** Checks that no service with several instances has all of them on one machine, and that the host runs none. */
export async function checkSpread(context: RehearsalContext): Promise<string> {
  const workers = workersOf(context).map(nodeName);
  const nodes = new Map<string, Set<string>>();
  const rows = await instances(context);
  for (const { service, node = "" } of rows) {
    if (!workers.includes(node)) throw new Error(`${service} runs on ${node}, which is no worker.`);
    nodes.set(service, (nodes.get(service) ?? new Set()).add(node));
  }
  if (workers.length > 1)
    for (const service of ["inventory", "storefront"])
      if (nodes.get(service)?.size !== 2)
        throw new Error(`All instances of ${service} are on one machine.`);
  return `${rows.length} instances on ${workers.length} machines`;
}

/** Checks that large answers pass between the machines: packets that are too large for a network vanish, and small answers still work. */
export async function checkLargeAnswers(context: RehearsalContext): Promise<string> {
  const node =
    "Promise.all(['/openapi.json','/api/inventory/products?limit=100'].map(async (p) => (await (await fetch('http://inventory:3000' + p)).text()).length)).then((n) => console.log(n.join(' ')))";
  const output = await context.workspace.succeed(
    ...["exec", "-s", STACK, "orders", "--", "node", "-e", node],
  );
  const [document = 0, products = 0] =
    output.trim().split("\n").at(-1)?.split(" ").map(Number) ?? [];
  if (!(document > 10_000 && products > 1_400))
    throw new CommandFailed("Large answers don't pass between the machines.", output);
  return `${document} and ${products} bytes`;
}

/** Kills a worker under load, waits until all instances run on the others, and starts it again. */
export async function loseWorker(context: RehearsalContext): Promise<string> {
  const [lost] = workersOf(context);
  if (lost === undefined) throw new Error("There is no worker.");
  const before = (await instances(context)).length;
  const container = machineName(context.id, lost.vmId);
  const stop = context.probe.browse(4);
  let result: BrowseResult;
  let seconds: number;
  try {
    await docker("kill", container);
    seconds = await untilComplete(context, before, nodeName(lost));
  } finally {
    result = await stop();
    await docker("start", container);
  }
  // Requests that the lost machine was answering. The gateway repeats those that had not reached it.
  if (result.lost.length > result.requests / 50)
    throw new Error(
      `${result.lost.length} of ${result.requests} requests were lost: ${[...new Set(result.lost)].join("; ")}`,
    );
  return `full strength after ${seconds.toFixed(0)} s; ${result.lost.length} of ${result.requests} requests lost`;
}

async function untilComplete(
  context: RehearsalContext,
  count: number,
  without: string,
): Promise<number> {
  const started = Date.now();
  let last = "";
  while (Date.now() - started < REPAIR_LIMIT_MS) {
    const rows = await instances(context);
    const healthy = rows.filter(({ state, node }) => state === "healthy" && node !== without);
    if (healthy.length === count) return (Date.now() - started) / 1000;
    last = rows
      .map(({ service, state, node }) => `${service} ${state} on ${node ?? ""}`)
      .join(", ");
    await sleep(1_000);
  }
  throw new Error(`The instances of a lost machine don't run elsewhere: ${last}`);
}

/** Waits until the unit that runs after each start of Docker has ended, and fails if it has failed. */
const AFTER_DOCKER_DONE =
  "while state=$(systemctl is-active 'store-after-docker@*'); [ \"$state\" = activating ]; do sleep 1; done; ! systemctl is-failed --quiet 'store-after-docker@*'";

/** Restarts the host's Docker, and kills it, each time until the store serves again and goes on to. */
export async function restartDocker(context: RehearsalContext): Promise<string> {
  const results: string[] = [];
  for (const [what, command] of [
    ["restarted", ["systemctl", "restart", "docker"]],
    ["killed", ["pkill", "-KILL", "-x", "dockerd"]],
  ] as const) {
    await context.onHost(...command);
    // Otherwise a gateway that hasn't been stopped yet would answer.
    await sleep(2_000);
    const seconds = await context.probe.untilServing(REPAIR_LIMIT_MS);
    results.push(`${what}: serves after ${(seconds + 2).toFixed(0)} s`);
    await untilComplete(context, (await instances(context)).length, "");
    // The unit starts containers until then.
    await context.onHost("sh", "-c", AFTER_DOCKER_DONE);
    await context.probe.untilServing(REPAIR_LIMIT_MS);
  }
  return results.join(", ");
}

/** Takes a worker out of the configuration, and in again, each under load, without losing a request or leaving a node over. */
export async function changeWorkers(context: RehearsalContext): Promise<string> {
  const all = workersOf(context).map(({ address, hostKey }) => ({ address, hostKey }));
  const results: string[] = [];
  for (const workers of [all.slice(0, -1), all]) {
    context.configureForGood({ "store:workers": workers });
    const stop = context.probe.browse(4);
    const up = await context.workspace.run("up", STACK, "--yes");
    const { requests, lost } = await stop();
    if (up.code !== 0) throw new CommandFailed("./store up failed.", up.output);
    if (lost.length > 0)
      throw new Error(
        `${lost.length} of ${requests} requests were lost: ${[...new Set(lost)].join("; ")}`,
      );
    const nodes = (await context.dockerOnHost("node", "ls", "--quiet")).split("\n").length;
    if (nodes !== workers.length + 1)
      throw new Error(`The swarm has ${nodes} nodes instead of ${workers.length + 1}.`);
    results.push(`${nodes} machines, 0 of ${requests} requests lost`);
  }
  return results.join("; ");
}

/** Checks that the token in the state, with which the workers have joined, is refused. */
export async function checkToken(context: RehearsalContext): Promise<string> {
  const exported = await context.workspace.succeed(
    ...["pulumi", "stack", "export", "--show-secrets", "--stack", STACK],
  );
  const token = /SWMTKN-[\w-]+/.exec(exported)?.[0];
  if (token === undefined) throw new Error("The state has no token.");
  const current = await context.dockerOnHost("swarm", "join-token", "--quiet", "worker");
  if (current.trim() === token) throw new Error("The token in the state still lets machines join.");
  return "the token in the state is outdated";
}
