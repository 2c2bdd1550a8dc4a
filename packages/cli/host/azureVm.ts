import { CliError, UsageError } from "@store/docker/cliError";
import { storeCommand } from "../project/storeCommand";
import { isAzure, isLocal, Session } from "../project/session";
import { isWorkerName } from "../../../components/host/azure/vmNames";
import { type Checkpoint, resourceName } from "../state/checkpoint";
import { az, AzCall } from "./azureCli";
import { VM_TYPE } from "../state/resourceTypes";

/** A VM of a stack in Azure. */
export interface AzureVm {
  /** Azure's resource ID. */
  readonly id: string;
  readonly urn: string;
  /** Name in the program. */
  readonly name: string;
  readonly stack: string;
}

/** Power state of a VM, such as running, deallocated, stopped, starting or deallocating; unknown if Azure reports none. */
export type PowerState = string;

/** Returns the VMs in the stack's state, the host's first. Empty if it has none. */
export function vmsIn(stack: string, checkpoint: Checkpoint | undefined): AzureVm[] {
  const vms = (checkpoint?.resources ?? []).flatMap(({ type, urn, delete: isOriginal, id = "" }) =>
    type === VM_TYPE && !isOriginal && id !== ""
      ? [{ id, urn, name: resourceName(urn), stack }]
      : [],
  );
  return vms.sort((a, b) => Number(isWorkerName(a.name)) - Number(isWorkerName(b.name)));
}

/** Returns the host's VM in the stack's state; undefined if it has none. */
export function vmIn(stack: string, checkpoint: Checkpoint | undefined): AzureVm | undefined {
  return vmsIn(stack, checkpoint).find(({ name }) => !isWorkerName(name));
}

/** Returns the VMs in the state of an Azure stack, the host's first. @throws CliError if the stack isn't up */
export function requireVms(stack: string, checkpoint: Checkpoint | undefined): AzureVm[] {
  const vms = vmsIn(stack, checkpoint);
  if (vms.length > 0) return vms;
  throw new CliError(`The stack ${stack} has no VM because it isn't up.`, {
    hint: `Bring it up: ${storeCommand("up", stack)}`,
  });
}

/** "VM", or "3 VMs". */
export function countedVms({ length }: readonly AzureVm[]): string {
  return length === 1 ? "VM" : `${length} VMs`;
}

/** @throws UsageError if the stack doesn't run on a VM in Azure */
export function requireAzure(session: Session, command: "start" | "stop"): void {
  if (isAzure(session)) return;
  const { name } = session.stack;
  if (isLocal(session)) {
    throw new UsageError(
      `The stack ${name} runs on this machine's Docker; ./store ${command} is for a VM in Azure.`,
      command === "start"
        ? `Bring it up: ${storeCommand("up", name)}`
        : `Take it down, which keeps the data: ${storeCommand("down", name)}`,
    );
  }
  throw new UsageError(
    `The stack ${name} runs on a machine reached by SSH; ./store ${command} is for a VM in Azure.`,
    `Switch the machine ${command === "start" ? "on" : "off"} where it is managed. To reboot it: ${storeCommand("reboot", name)}`,
  );
}

/** Limits of one call. */
export type CallLimits = Pick<AzCall, "timeoutMs" | "signal">;

/** Asks Azure. @throws CliError */
export async function readPowerState(vm: AzureVm, limits: CallLimits): Promise<PowerState> {
  const codes = await az({
    args: [
      ...["vm", "get-instance-view", "--ids", vm.id],
      ...["--query", "instanceView.statuses[].code", "--output", "tsv"],
    ],
    stack: vm.stack,
    failure: `Reading the state of ${described(vm)} failed`,
    ...limits,
  });
  return /^PowerState\/(\S+)/m.exec(codes)?.[1] ?? "unknown";
}

/** Checks whether a VM with this power state is off, or about to be. "Stopped" is one that was shut down and still costs money. */
export function isOff(state: PowerState): boolean {
  return ["deallocated", "deallocating", "stopped", "stopping"].includes(state);
}

/** Starts the VM, and waits until Azure has done so. @throws CliError */
export async function startVm(vm: AzureVm, limits: CallLimits): Promise<void> {
  await az({
    args: ["vm", "start", "--ids", vm.id],
    stack: vm.stack,
    failure: `Starting ${described(vm)} failed`,
    ...limits,
  });
}

/** Stops the VM and gives its hardware back, and waits until Azure has done so. @throws CliError */
export async function deallocateVm(vm: AzureVm, limits: CallLimits): Promise<void> {
  await az({
    args: ["vm", "deallocate", "--ids", vm.id],
    stack: vm.stack,
    failure: `Stopping ${described(vm)} failed`,
    ...limits,
  });
}

function described({ name, stack }: AzureVm): string {
  return isWorkerName(name)
    ? `the VM ${name} of the stack ${stack}`
    : `the VM of the stack ${stack}`;
}
