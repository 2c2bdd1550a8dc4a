import { setTimeout as sleep } from "node:timers/promises";
import { docker } from "@store/azure-emulator/docker";
import { machineName } from "@store/azure-emulator/machine/names";
import { CommandFailed } from "../../support/workspace";
import { type RehearsalContext, STACK } from "../context";
import { instances, nodeName, untilComplete, workersOf } from "./swarmSteps";

/** Fails unless a command's output has all texts. */
function expectIn(output: string, command: string, ...texts: readonly (string | RegExp)[]): void {
  for (const text of texts)
    if (output.search(text) < 0)
      throw new CommandFailed(`The output of ${command} lacks ${String(text)}.`, output);
}

/**
 * Drains a worker by hand, removes its label, takes another one out of the swarm, and closes a port between them. Checks that `doctor` names
 * each of these faults, and that `up` repairs all but the port.
 */
export async function repairMachines(context: RehearsalContext): Promise<string> {
  const { workspace } = context;
  const [drained, left] = workersOf(context);
  if (drained === undefined || left === undefined) throw new Error("There are no two workers.");
  const [first, second] = [drained, left].map(({ vmId }) => machineName(context.id, vmId));
  const update = ["--availability", "drain", "--label-rm", "dev.store.worker"];
  await context.dockerOnHost("node", "update", ...update, nodeName(drained));
  await docker("exec", second ?? "", "docker", "swarm", "leave");
  const rule = ["-p", "udp", "--dport", "4789", "-j", "DROP"];
  await docker("exec", first ?? "", "iptables", "-I", "INPUT", ...rule);
  const { output } = await workspace.run("doctor", "-s", STACK);
  await docker("exec", first ?? "", "iptables", "-D", "INPUT", ...rule);
  expectIn(output, "doctor", `UDP 4789 between`, `${nodeName(drained)} runs no new instances`);

  const up = await workspace.succeed("up", STACK, "--yes");
  expectIn(up, "up", /set it to "drain"\. Repaired/, /It joins again/);
  await untilComplete(context, (await instances(context)).length, "");
  const healthy = await workspace.succeed("doctor", "-s", STACK);
  expectIn(healthy, "doctor", /2 workers are ready/, /open between 3 machines/);
  await context.probe.untilServing(60_000);
  return "drained, without label, left and with a closed port: found by doctor, repaired by up";
}

/**
 * Dissolves the swarm on the host, as if the host had been installed anew: its networks, services and secrets are gone. Checks that `up`
 * creates a swarm, which the workers join, and that an order from before still exists.
 */
export async function loseSwarm(context: RehearsalContext, orderId: string): Promise<string> {
  await context.dockerOnHost("swarm", "leave", "--force");
  const output = await context.workspace.succeed("up", STACK, "--yes");
  expectIn(output, "up", /doesn't manage the swarm any more/);
  const waited = await context.probe.untilServing(120_000);
  await context.probe.untilStatus(orderId, "confirmed");
  const nodes = (await context.dockerOnHost("node", "ls", "--quiet")).split("\n").length;
  if (nodes !== workersOf(context).length + 1) throw new Error(`The swarm has ${nodes} nodes.`);
  return `new swarm of ${nodes} machines, serving after another ${waited.toFixed(1)} s, the order still exists`;
}

/**
 * Names the first machine and a worker in another way, and again as before. Checks that the machines stay in the swarm, and that no request is
 * lost.
 */
export async function renameMachines(context: RehearsalContext): Promise<string> {
  const [first, ...workers] = context.emulator.ready.machines;
  if (first === undefined) throw new Error("There are no machines.");
  const nodes = (): Promise<string> => context.dockerOnHost("node", "ls", "--quiet");
  const before = await nodes();
  let total = 0;
  for (const prefix of ["::ffff:", ""]) {
    context.configureForGood({
      "store:sshAddress": `${prefix}${first.address}`,
      "store:workers": workers.map(({ address, hostKey }, i) => ({
        ...{ address: `${i === 0 ? prefix : ""}${address}`, hostKey },
      })),
    });
    const stop = context.probe.browse(4);
    const { code, output } = await context.workspace.run("up", STACK, "--yes");
    const { requests, lost } = await stop();
    if (code !== 0) throw new CommandFailed("./store up failed.", output);
    if (lost.length > 0)
      throw new CommandFailed(`${lost.length} of ${requests} requests were lost.`, output);
    total += requests;
    const after = await nodes();
    if (after !== before) throw new CommandFailed(`Other nodes: ${after}`, output);
    const rows = await instances(context);
    const machines = new Set(rows.map(({ node }) => node));
    if (rows.length === 0 || machines.size > workers.length)
      throw new Error(`The instances run on ${[...machines].join(", ")}.`);
  }
  return `the same nodes, 0 of ${total} requests lost`;
}

/** Limit for `up` to create a changed service, in milliseconds. */
const CREATE_LIMIT_MS = 180_000;

/** Kills an `up` while the instances of a changed service start. Checks that the next `up` removes the service that no state has. */
export async function killUp(context: RehearsalContext): Promise<string> {
  const { workspace } = context;
  const services = async (): Promise<string[]> =>
    (await context.dockerOnHost("service", "ls", "--format", "{{.Name}}")).split("\n").sort();
  const before = await services();
  workspace.edit(SHIPPING, "", CHANGE);
  const up = workspace.run("up", STACK, "--yes");
  const deadline = Date.now() + CREATE_LIMIT_MS;
  while ((await services()).length === before.length) {
    if (Date.now() > deadline) throw new Error("up doesn't create the changed service.");
    await sleep(200);
  }
  workspace.kill();
  await up;
  const [orphan = ""] = (await services()).filter((name) => !before.includes(name));
  workspace.edit(SHIPPING, CHANGE, "");
  const output = await workspace.succeed("up", STACK, "--yes");
  const after = await services();
  if (orphan === "" || after.join() !== before.join())
    throw new CommandFailed(`The services are ${after.join(", ")}; ${orphan} was new.`, output);
  return `removed ${orphan}`;
}

const SHIPPING = "services/shipping/src/main.ts";

/** Services of a rollout in which the last one fails. */
const CHANGED = ["billing", "shipping", "storefront"] as const;

/** Changes three services, the third of which exits at its start, under load. Checks that nothing is switched and no request is lost. */
export async function failThird(context: RehearsalContext): Promise<string> {
  const { workspace } = context;
  const file = (service: string): string => `services/${service}/src/main.ts`;
  const before = await context.dockerOnHost("service", "ls", "--format", "{{.ID}}");
  for (const service of CHANGED) workspace.edit(file(service), "", CHANGE);
  workspace.edit(file("storefront"), "", CRASH);
  const stop = context.probe.browse(4);
  const { code, output } = await workspace.run("up", STACK, "--yes");
  const { requests, lost } = await stop();
  if (code === 0) throw new CommandFailed("./store up succeeded with a crashing service.", output);
  // Not at its time limit, and with the end of the log.
  expectIn(output, "up", /storefront did not become healthy: it exited with code 3/, REASON);
  const after = await context.dockerOnHost("service", "ls", "--format", "{{.ID}}");
  const gone = before.split("\n").filter((id) => !after.includes(id));
  if (gone.length > 0 || lost.length > 0)
    throw new Error(`${gone.length} services were switched, ${lost.length} requests lost.`);
  workspace.edit(file("storefront"), CRASH, "");
  for (const service of CHANGED) workspace.edit(file(service), CHANGE, "");
  await workspace.succeed("up", STACK, "--yes");
  const last = await context.dockerOnHost("service", "ls", "--quiet");
  if (last.split("\n").length !== before.split("\n").length)
    throw new Error("The failed rollout has left services over.");
  return `nothing switched, 0 of ${requests} requests lost, and the next up is clean`;
}

const CHANGE = "// A change of the content.\n";
const REASON = "The storefront doesn't start.";
const CRASH = `console.error("${REASON}"); process.exit(3);\n`;
