import { CliError } from "@store/docker/cliError";
import { problemOf } from "@store/docker/unreachable";
import { loadCheckpoint } from "../engine/loadCheckpoint";
import { storeCommand } from "../project/storeCommand";
import { isAzure, Session } from "../project/session";
import { hasAz } from "./azureCli";
import { AzureVm, isOff, readPowerState, vmIn } from "./azureVm";

/** Error for a stack whose VM is off. */
export class VmStopped extends CliError {
  constructor(stack: string, cause?: unknown) {
    super(
      `The stack ${stack} is stopped: its VM is off. Start it: ${storeCommand("start", stack)}`,
      { cause },
    );
  }
}

/** Limit for Azure's answer, in milliseconds. Something else has failed already, so the user waits. */
const ANSWER_MS = 15_000;

/** State of a stack's VM as far as it can be found out. */
interface VmState {
  /** Undefined if the stack isn't in Azure or has no VM. */
  readonly vm: AzureVm | undefined;
  /** Undefined if Azure can't be asked. */
  readonly isOff: boolean | undefined;
}

/** Checks whether the stack's VM is off. False if there is none, and if Azure can't be asked. */
export async function isVmStopped(session: Session): Promise<boolean> {
  return (await findVmState(session)).isOff === true;
}

/** Returns the function that finds out why Docker on the stack's host doesn't answer. Concurrent calls ask Azure once. */
export function hostDiagnosis(session: Session): (error: CliError) => Promise<CliError> {
  let asking: Promise<VmState> | undefined;
  return async (error) => {
    // The machine has answered.
    if (!isAzure(session) || ANSWERED.test(problemOf(error.cause))) return error;
    asking ??= findVmState(session).finally(() => (asking = undefined));
    return diagnose(session.stack.name, error, await asking);
  };
}

/** Adds cause and ways out to the error of a host that doesn't answer over SSH. */
export function diagnoseHost(session: Session, { summary, cause }: CliError): Promise<CliError> {
  const hint = `Check the connection: ${storeCommand("ssh", session.stack.name)}`;
  return hostDiagnosis(session)(new CliError(summary, { hint, cause }));
}

const ANSWERED = /host key verification failed|permission denied/i;

function diagnose(stack: string, error: CliError, { vm, isOff: off }: VmState): CliError {
  if (off === true) return new VmStopped(stack, error.cause);
  if (vm === undefined) return error;
  const advice =
    off === undefined
      ? `If the VM is off: ${storeCommand("start", stack)}`
      : `The VM runs. Its boot log: az vm boot-diagnostics get-boot-log --ids ${vm.id}`;
  const { summary, details, detailsTitle, exitCode, cause } = error;
  const hint = [...(error.hint === undefined ? [] : [error.hint]), advice].join("\n");
  return new CliError(summary, { details, detailsTitle, exitCode, cause, hint });
}

async function findVmState(session: Session): Promise<VmState> {
  const unknown = { vm: undefined, isOff: undefined };
  if (!isAzure(session)) return unknown;
  let vm: AzureVm | undefined;
  try {
    vm = vmIn(session.stack.name, await loadCheckpoint(session));
    if (vm === undefined || !hasAz()) return { ...unknown, vm };
    return { vm, isOff: isOff(await readPowerState(vm, { timeoutMs: ANSWER_MS })) };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    // Neither the state nor Azure must hide the error whose cause is looked for.
    return { ...unknown, vm };
  }
}
