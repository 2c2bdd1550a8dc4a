import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { docker } from "@store/azure-emulator/docker";
import { machineName } from "@store/azure-emulator/machine/names";
import { CommandFailed } from "../../support/workspace";
import { type RehearsalContext, STACK } from "../context";
import { StoreProbe } from "../storeProbe";
import { instances, liveRestoreOf, untilComplete } from "./swarmSteps";

/** Limit for Swarm to notice that a machine is lost, in milliseconds. Measured: 14 s. */
const NOTICE_LIMIT_MS = 120_000;

/** Turns a stack on one VM into one on several, and checks that the VM and the data stay. */
export async function growFromOne(context: RehearsalContext, orderId: string): Promise<string> {
  const { emulator, workspace, probe } = context;
  const before = emulator.vmId();
  context.configureWorkers((context.options.hosts ?? 1) - 1);
  await workspace.succeed("up", STACK, "--yes");
  assert.equal(emulator.vmId(), before, "the host's VM was replaced");
  assert.equal(await liveRestoreOf(context), "false");
  await probe.untilServing(NOTICE_LIMIT_MS);
  await probe.untilStatus(orderId, "confirmed");
  return `${emulator.workers().length} further VMs, the host's VM and the order stay`;
}

/** Checks what the firewalls of the workers open, to the internet and to the other VMs. */
export async function checkWorkersFirewall(context: RehearsalContext): Promise<string> {
  const workers = context.emulator.workers();
  for (const { address, node } of workers) {
    const stranger = new StoreProbe(address, "127.0.0.9");
    const admin = new StoreProbe(address, "127.0.0.1");
    assert.equal(await admin.reaches(22), true, `SSH of ${node} for the administrator`);
    for (const port of [22, 80, 443, 2377, 7946])
      assert.equal(await stranger.reaches(port), false, `port ${port} of ${node} for a stranger`);
  }
  const [{ vmId } = { vmId: "" }] = workers;
  const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
  const inside = await docker("inspect", "--format", format, machineName(context.id, vmId));
  const connect = `timeout 3 bash -c '</dev/tcp/${inside}/7946'`;
  await context.onHost("sh", "-c", connect);
  // A container in the network that is no VM of the subnet.
  const { container } = context.emulator.ready.registry;
  const outside = await docker("exec", container, "sh", "-c", connect).then(
    () => "open",
    () => "closed",
  );
  assert.equal(outside, "closed", "port 7946 of a worker, from outside of the subnet");
  return `SSH of ${workers.length} workers open to the administrator, Swarm to the subnet, nothing to anybody else`;
}

/** Kills a worker for good, and checks that the next `up` replaces its VM. */
export async function replaceLostWorker(context: RehearsalContext): Promise<string> {
  const { emulator, workspace } = context;
  const [lost] = emulator.workers();
  if (lost === undefined) throw new Error("There is no worker.");
  const count = (await instances(context)).length;
  await docker("kill", machineName(context.id, lost.vmId));
  const deadline = Date.now() + NOTICE_LIMIT_MS;
  while (!/ is down/.test((await workspace.run("ps", STACK)).output)) {
    if (Date.now() > deadline) throw new Error("./store ps doesn't say that the machine is down.");
    await sleep(1_000);
  }
  const { code, output } = await workspace.run("up", STACK, "--yes");
  if (code !== 0) throw new CommandFailed("./store up failed.", output);
  const [found] = emulator.workers();
  assert.ok(found);
  assert.equal(found.node, lost.node);
  assert.notEqual(found.vmId, lost.vmId, "the VM wasn't replaced");
  await untilComplete(context, count, "");
  return `new VM; ${await joinedNodes(context)}`;
}

/** Checks that exactly the stack's machines are in the swarm, and answer. */
export async function joinedNodes(context: RehearsalContext): Promise<string> {
  const list = await context.dockerOnHost("node", "ls", "--format", "{{.Hostname}} {{.Status}}");
  const nodes = list.split("\n");
  const workers = context.emulator.workers().map(({ node }) => node);
  for (const node of workers)
    assert.ok(nodes.includes(`${node} Ready`), `${node} isn't ready: ${nodes.join(", ")}`);
  assert.equal(nodes.length, workers.length + 1, nodes.join(", "));
  return `${nodes.length} nodes are ready`;
}
