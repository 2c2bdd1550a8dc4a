import { setTimeout as sleep } from "node:timers/promises";
import { CliError } from "@store/docker/cliError";
import type { Docker } from "@store/docker/docker";
import { shellQuote } from "../../../components/shell/shell";
import { hasAz } from "../host/azureCli";
import { type AzureVm, isOff, readPowerState, vmsIn } from "../host/azureVm";
import { storeCommand } from "../project/storeCommand";
import type { Checkpoint } from "../state/checkpoint";
import { swarmNodes, workersIn } from "../docker/swarmNodes";
import type { Reporter } from "../terminal/terminal";

/** Limit for Azure's answer, in milliseconds. */
const ANSWER_MS = 15_000;

/** Time within which a machine that reboots answers again, in milliseconds. */
const REBOOT_MS = 90_000;
/** Time between two looks at a machine that doesn't answer, in milliseconds. */
const INTERVAL_MS = 3_000;

/**
 * Finds the VMs of workers that don't answer the manager of the swarm, for the engine to replace: a worker has no data. One that is switched
 * off, or of which Azure can't be asked, is left as it is. Empty for a stack with one machine, and outside of Azure.
 *
 * @param rebootMs Time for which a VM that runs may not answer, because it reboots. @default 90 s
 * @returns URNs of the VMs.
 */
export async function findLostWorkers(
  { docker, checkpoint }: { readonly docker: Docker; readonly checkpoint: Checkpoint },
  stack: string,
  report: Reporter,
  rebootMs = REBOOT_MS,
): Promise<string[]> {
  const [, ...workers] = vmsIn(stack, checkpoint);
  if (workers.length === 0) return [];
  const joined = new Map(workersIn(checkpoint).map(({ name, nodeId }) => [name, nodeId]));
  const isDown = async (vm: AzureVm): Promise<boolean> => {
    const nodes = (await swarmNodes(docker, checkpoint)) ?? [];
    const node = nodes.find(({ id }) => id === joined.get(vm.name));
    return node?.state === "down";
  };
  const lost: string[] = [];
  for (const vm of workers) {
    if (!(await isDown(vm))) continue;
    const state = await powerState(vm);
    if (state === "off") {
      report.note(`The VM ${vm.name} is off. Start it: ${storeCommand("start", stack)}`);
    } else if (state === "unknown") {
      report.note(
        `The VM ${vm.name} doesn't answer the other machines, and Azure can't be asked whether somebody has stopped it. Replace it: ${storeCommand(`up --yes -- --replace ${shellQuote(vm.urn)}`, stack)}`,
      );
    } else if (state === "deleted" || (await staysDown(vm, isDown, { rebootMs, report }))) {
      report.note(`The VM ${vm.name} doesn't answer the other machines; replacing it`);
      lost.push(vm.urn);
    }
  }
  return lost;
}

async function staysDown(
  vm: AzureVm,
  isDown: (vm: AzureVm) => Promise<boolean>,
  { rebootMs, report }: { readonly rebootMs: number; readonly report: Reporter },
): Promise<boolean> {
  report.step(
    `Waiting up to ${rebootMs / 1000} s for the VM ${vm.name}, which doesn't answer the other machines`,
  );
  const deadline = Date.now() + rebootMs;
  while (Date.now() < deadline) {
    await sleep(Math.min(INTERVAL_MS, rebootMs));
    if (!(await isDown(vm))) return false;
  }
  return true;
}

async function powerState(vm: AzureVm): Promise<"on" | "off" | "deleted" | "unknown"> {
  if (!hasAz()) return "unknown";
  try {
    return isOff(await readPowerState(vm, { timeoutMs: ANSWER_MS })) ? "off" : "on";
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return error.details.some((line) => line.includes("ResourceNotFound")) ? "deleted" : "unknown";
  }
}
