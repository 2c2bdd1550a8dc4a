import { messageOf } from "@store/docker/messageOf";
import { ArmError, badRequest } from "../arm/armError";
import type { Cloud } from "../arm/cloud";
import type { Resource } from "../arm/resourceType";
import { isAllocated } from "../arm/state/machineFailure";
import { MACHINE } from "../arm/types/compute/references";

/** Options of an `az` command line: the value after a name, or an empty text. */
export type Option = (name: string) => string;

/** The query that the program uses, because the emulator has no JMESPath. */
const STATUS_CODES = "instanceView.statuses[].code";

/** Subcommands of `az vm` that the program uses, by their name. Each returns what `az` prints. */
export const VM_COMMANDS: Readonly<
  Record<string, (cloud: Cloud, option: Option, faults: readonly string[]) => Promise<string>>
> = {
  "vm start": async (cloud, option, faults) => {
    const machine = machineWith(cloud, option("ids"), faults);
    refuseIfThrottled(cloud, faults);
    const isOff = machine.powerState === "deallocated";
    if (!isAllocated(machine) || (isOff && faults.includes("allocation"))) throw notAllocated();
    await cloud.setPower(machine.id, "running");
    return "";
  },
  "vm deallocate": async (cloud, option, faults) => {
    const machine = machineWith(cloud, option("ids"), faults);
    refuseIfThrottled(cloud, faults);
    // A VM for which Azure has found no hardware has nothing to give back.
    if (isAllocated(machine)) await cloud.setPower(machine.id, "deallocated");
    return "";
  },
  "vm get-instance-view": (cloud, option, faults) => {
    requireQuery(option, STATUS_CODES);
    const machine = machineWith(cloud, option("ids"), faults);
    const { failure, powerState = "running" } = machine;
    const provisioning = failure === undefined ? "succeeded" : `failed/${failure.code}`;
    const power = isAllocated(machine) ? [`PowerState/${powerState}`] : [];
    return Promise.resolve(`${[`ProvisioningState/${provisioning}`, ...power].join("\n")}\n`);
  },
};

/** @throws Error if the command line asks for another form of the result */
export function requireQuery(option: Option, query: string): void {
  if (option("query") === query && option("output") === "tsv") return;
  throw new Error(`The emulated az supports only --query '${query}' --output tsv.`);
}

/** Returns an error in the words of `az`, which differ from those of the provider. */
export function inWordsOfAz(error: unknown): string {
  if (!(error instanceof ArmError)) return messageOf(error);
  return `(${error.code}) ${error.reason}\nCode: ${error.code}\nMessage: ${error.reason}`;
}

/** @throws Error, in the words of `az`, for an unknown VM or a subscription that the login doesn't have */
function machineWith(cloud: Cloud, id: string, faults: readonly string[]): Resource {
  const [, subscription, group, name] =
    /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/providers\/Microsoft\.Compute\/virtualMachines\/([^/]+)$/i.exec(
      id,
    ) ?? [];
  if (subscription === undefined) throw new Error(`invalid resource ID: ${id}`);
  if (subscription !== cloud.subscription || faults.includes("subscription")) {
    throw new Error(
      `Subscription '${subscription}' not found. Check the spelling and casing and try again.`,
    );
  }
  const machine = cloud.get(id);
  if (machine?.token === MACHINE) return machine;
  throw new ArmError(
    404,
    "ResourceNotFound",
    `The Resource 'Microsoft.Compute/virtualMachines/${name}' under resource group '${group}' was not found. ` +
      `For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
  );
}

function refuseIfThrottled({ subscription }: Cloud, faults: readonly string[]): void {
  if (!faults.includes("throttled")) return;
  throw new ArmError(
    429,
    "TooManyRequests",
    `The server rejected the request because too many requests have been received for this subscription '${subscription}'.`,
  );
}

function notAllocated(): ArmError {
  return badRequest(
    "AllocationFailed",
    "Allocation failed. We do not have sufficient capacity for the requested VM size in this region. Read more about " +
      "improving likelihood of allocation success at http://aka.ms/allocation-guidance",
  );
}
