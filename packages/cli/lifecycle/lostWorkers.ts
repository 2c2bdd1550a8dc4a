import { CliError } from "@store/docker/cliError";
import type { Docker } from "@store/docker/docker";
import { hasAz } from "../host/azureCli";
import { type AzureVm, isOff, readPowerState, vmsIn } from "../host/azureVm";
import { storeCommand } from "../project/storeCommand";
import type { Checkpoint } from "../state/checkpoint";
import { swarmNodes, workersIn } from "../docker/swarmNodes";
import type { Reporter } from "../terminal/terminal";

/** Limit for Azure's answer, in milliseconds. */
const ANSWER_MS = 15_000;

/**
 * Finds the VMs of workers that don't answer the manager of the swarm, for the engine to replace: a worker has no data. One that is switched
 * off is left as it is. Empty for a stack with one machine, and outside of Azure.
 *
 * @returns URNs of the VMs.
 */
export async function findLostWorkers(
  { docker, checkpoint }: { readonly docker: Docker; readonly checkpoint: Checkpoint },
  stack: string,
  report: Reporter,
): Promise<string[]> {
  const [, ...workers] = vmsIn(stack, checkpoint);
  if (workers.length === 0) return [];
  const joined = new Map(workersIn(checkpoint).map(({ name, nodeId }) => [name, nodeId]));
  const nodes = (await swarmNodes(docker, checkpoint)) ?? [];
  const down = new Set(nodes.filter(({ state }) => state === "down").map(({ id }) => id));
  const lost: string[] = [];
  for (const vm of workers) {
    const node = joined.get(vm.name);
    if (node === undefined || !down.has(node)) continue;
    if (await isSwitchedOff(vm)) {
      report.note(`The VM ${vm.name} is off. Start it: ${storeCommand("start", stack)}`);
    } else {
      report.note(`The VM ${vm.name} doesn't answer the other machines; replacing it`);
      lost.push(vm.urn);
    }
  }
  return lost;
}

/** Returns false if Azure can't be asked, or doesn't know the VM any more. */
async function isSwitchedOff(vm: AzureVm): Promise<boolean> {
  if (!hasAz()) return false;
  try {
    return isOff(await readPowerState(vm, { timeoutMs: ANSWER_MS }));
  } catch (error) {
    if (error instanceof CliError) return false;
    throw error;
  }
}
