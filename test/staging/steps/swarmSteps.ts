import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { docker } from "@store/azure-emulator/docker";
import { machineName } from "@store/azure-emulator/machine/names";
import type { EmulatedMachine } from "@store/azure-emulator/emulatorProcess";
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

export async function instances(context: RehearsalContext): Promise<Row[]> {
  const output = await context.workspace.succeed("ps", STACK, "--json");
  // ./store may print notes before and after the list.
  const list = output.slice(output.indexOf("["), output.lastIndexOf("\n]") + 2);
  const rows = JSON.parse(list) as Row[];
  return rows.filter(({ node }) => node !== undefined);
}

export function workersOf({ emulator }: RehearsalContext): readonly EmulatedMachine[] {
  return emulator.workers();
}

/** Host name of a machine, which Swarm shows. */
export function nodeName({ node }: EmulatedMachine): string {
  return node;
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

/** Sizes of answers in bytes: one packet, a little more than one, and many. */
const SIZES = [1_400, 1_500, 10_000, 100_000, 1_000_000];

/** Program for an instance of inventory: serves `/SIZE` on a port of its own, until `/end` is requested, at most for some minutes. */
const ANSWER = `require('node:http').createServer((q, s) => {
  if (q.url === '/end') process.exit(0);
  s.end('x'.repeat(Number(q.url.slice(1))));
}).listen(9999);
setTimeout(() => process.exit(0), 120000);`;

/** Program for an instance of orders: ends the other program in all instances of inventory. */
const END =
  "(async () => { for (let i = 0; i < 20; i++) await fetch('http://inventory:9999/end').catch(() => {}); })()";

/** Program for an instance of orders: requests each size several times, so that the instances on all machines answer. */
const REQUEST = `const get = async (size) => {
  for (let tries = 0; ; tries++)
    try {
      const { length } = await (await fetch('http://inventory:9999/' + size, { signal: AbortSignal.timeout(5000) })).text();
      return length;
    } catch (e) {
      if (tries > 30 || e.name === 'TimeoutError') throw new Error(size + ' bytes: ' + e.name);
      await new Promise((r) => setTimeout(r, 500));
    }
};
(async () => {
  for (const size of [${SIZES.join()}]) for (let i = 0; i < 6; i++) if ((await get(size)) !== size) throw new Error('wrong size');
  console.log('answers passed');
})();`;

/**
 * Checks that answers of each size pass between the machines, also if the network between them has smaller packets than Ethernet: those that
 * are too large vanish, while small answers still work.
 */
export async function checkLargeAnswers(context: RehearsalContext): Promise<string> {
  const { emulator } = context;
  const vmIds = [emulator.vmId(), ...workersOf(context).map(({ vmId }) => vmId)];
  const machines = vmIds.map((vmId) => machineName(context.id, vmId));
  const setLink = (...values: readonly string[]): Promise<string[]> =>
    Promise.all(machines.map((one) => docker("exec", one, "ip", "link", "set", "eth0", ...values)));
  const node = (service: string, program: string, ...options: string[]): Promise<string> =>
    context.workspace.succeed(
      ...["exec", "-s", STACK, service, ...options, "--", "node", "-e", program],
    );
  const servers = [0, 1].map((n) => node("inventory", ANSWER, "--replica", String(n)));
  // An interrupted rehearsal ends them before they are awaited, which would end the process with a stack trace.
  for (const server of servers) server.catch(() => undefined);
  try {
    await node("orders", REQUEST);
    // Otherwise packets of any size pass between containers on one machine.
    await setLink("mtu", "1400", "gso_max_segs", "1", "gso_max_size", "1500");
    await node("orders", REQUEST);
  } finally {
    await setLink("mtu", "1500", "gso_max_segs", "65535", "gso_max_size", "65536");
    await node("orders", END);
    await Promise.allSettled(servers);
  }
  return `${SIZES.join(", ")} bytes, with packets of 1500 and of 1400 bytes`;
}

/** Takes a worker away under load, waits until all instances run on the others, and gives it back. */
async function withoutWorker(
  context: RehearsalContext,
  take: (container: string) => Promise<() => Promise<unknown>>,
): Promise<string> {
  const [lost] = workersOf(context);
  if (lost === undefined) throw new Error("There is no worker.");
  await spread(context);
  const before = (await instances(context)).length;
  const stop = context.probe.browse(4);
  const giveBack = await take(machineName(context.id, lost.vmId));
  let result: BrowseResult;
  let seconds: number;
  try {
    seconds = await untilComplete(context, before, nodeName(lost));
  } finally {
    await giveBack();
    result = await stop();
  }
  await untilReady(context, lost);
  // Instances on this machine must reach the others again.
  await spread(context);
  // Requests that the lost machine was answering. The gateway repeats those that had not reached it.
  if (result.lost.length > result.requests / 50)
    throw new Error(
      `${result.lost.length} of ${result.requests} requests were lost: ${[...new Set(result.lost)].join("; ")}`,
    );
  return `full strength after ${seconds.toFixed(0)} s; ${result.lost.length} of ${result.requests} requests lost`;
}

/** Spreads the services with several instances over the machines, as a rollout does: a machine that was lost gets none back by itself. */
async function spread(context: RehearsalContext): Promise<void> {
  const list = await context.dockerOnHost("service", "ls", "--format", "{{.Name}} {{.Replicas}}");
  // A machine that comes back may still report instances that others have replaced: 3/2.
  const names = list.split("\n").flatMap((line) => /^(\S+) \d+\/2$/.exec(line)?.[1] ?? []);
  // The surplus is taken from the machines with the most instances.
  for (const replicas of [4, 2])
    await context.dockerOnHost("service", "scale", ...names.map((name) => `${name}=${replicas}`));
}

/** Waits until the manager reaches a worker again. */
async function untilReady(context: RehearsalContext, worker: EmulatedMachine): Promise<void> {
  const deadline = Date.now() + REPAIR_LIMIT_MS;
  const status = ["node", "inspect", nodeName(worker), "--format", "{{.Status.State}}"];
  while ((await context.dockerOnHost(...status)) !== "ready") {
    if (Date.now() > deadline) throw new Error(`${nodeName(worker)} doesn't get ready again.`);
    await sleep(1_000);
  }
}

/** Kills a worker. */
export function loseWorker(context: RehearsalContext): Promise<string> {
  return withoutWorker(context, async (container) => {
    await docker("kill", container);
    return () => docker("start", container);
  });
}

/** Cuts a worker off from the other machines, while it and its instances run on. */
export function partitionWorker(context: RehearsalContext): Promise<string> {
  return withoutWorker(context, async (container) => {
    const change = (action: string): Promise<string> =>
      docker("exec", container, "sh", "-c", CUT.replaceAll("ACTION", action));
    await change("--insert");
    return () => change("--delete");
  });
}

/** Drops all packets of a machine, without a change of its addresses or routes. */
const CUT =
  "iptables ACTION INPUT -i eth0 -j DROP && iptables ACTION OUTPUT -o eth0 -j DROP && iptables ACTION FORWARD -o eth0 -j DROP";

export async function untilComplete(
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

/** Ways in which the host's Docker starts again; the last one leaves more to `store-after-docker`. */
const RESTARTS = [
  ["restarted", ["systemctl", "restart", "docker"]],
  ["killed", ["pkill", "-KILL", "-x", "dockerd"]],
] as const;

/** Restarts the host's Docker, and kills it, each time until the store serves again and goes on to. Only kills it with two machines, to save time. */
export async function restartDocker(context: RehearsalContext): Promise<string> {
  const results: string[] = [];
  const restarts = context.options.hosts === 2 ? RESTARTS.slice(1) : RESTARTS;
  for (const [what, command] of restarts) {
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
  const all = workersOf(context).length;
  const results: string[] = [];
  for (const workers of [all - 1, all]) {
    context.configureWorkers(workers);
    const stop = context.probe.browse(4);
    const up = await context.workspace.run("up", STACK, "--yes");
    const { requests, lost } = await stop();
    if (up.code !== 0) throw new CommandFailed("./store up failed.", up.output);
    if (lost.length > 0)
      throw new Error(
        `${lost.length} of ${requests} requests were lost: ${[...new Set(lost)].join("; ")}`,
      );
    const nodes = (await context.dockerOnHost("node", "ls", "--quiet")).split("\n").length;
    if (nodes !== workers + 1)
      throw new Error(`The swarm has ${nodes} nodes instead of ${workers + 1}.`);
    results.push(`${nodes} machines, 0 of ${requests} requests lost`);
  }
  return results.join("; ");
}

/** Checks that the tokens in the state, with which the workers have joined, are refused. */
export async function checkToken(context: RehearsalContext): Promise<string> {
  const exported = await context.workspace.succeed(
    ...["pulumi", "stack", "export", "--show-secrets", "--stack", STACK],
  );
  const tokens: readonly string[] = exported.match(/SWMTKN-[\w-]+/g) ?? [];
  if (tokens.length === 0) throw new Error("The state has no token.");
  const current = await context.dockerOnHost("swarm", "join-token", "--quiet", "worker");
  if (tokens.includes(current.trim()))
    throw new Error("A token in the state still lets machines join.");
  return "the token in the state is outdated";
}

/** Limit for the store to serve after the last worker has left, in milliseconds. Measured: 0 to 12 s. */
const ALONE_LIMIT_MS = 120_000;

/** Turns the stack into one on one machine again. */
export async function shrinkToOne(context: RehearsalContext, orderId: string): Promise<string> {
  const { emulator, workspace, probe } = context;
  const before = emulator.vmId();
  context.configureWorkers(0);
  await workspace.succeed("up", STACK, "--yes");
  assert.equal(emulator.vmId(), before, "the host's VM was replaced");
  if (context.options.host === "azure") assert.deepEqual(emulator.workers(), []);
  const state = await context.dockerOnHost("info", "--format", "{{.Swarm.LocalNodeState}}");
  const liveRestore = await liveRestoreOf(context);
  // On a machine of the user's own, the setting is the user's.
  assert.deepEqual(
    [state, liveRestore],
    ["inactive", context.options.host === "azure" ? "true" : "false"],
  );
  const waited = await probe.untilServing(ALONE_LIMIT_MS);
  await probe.untilStatus(orderId, "confirmed");
  await probe.buy();
  return `no swarm, live-restore ${liveRestore}, serving after another ${waited.toFixed(1)} s, the order stays, another one is confirmed`;
}

export function liveRestoreOf(context: RehearsalContext): Promise<string> {
  return context.dockerOnHost("info", "--format", "{{.LiveRestoreEnabled}}");
}
