import { Option } from "commander";
import { ExitCode, UsageError } from "@store/docker/cliError";
import { renderStoppedCost } from "../../cost/stackCost";
import { addressInState } from "../../docker/gateway/url";
import { loadCheckpoint } from "../../engine/loadCheckpoint";
import { removeStaleEngineLocks } from "../../engine/setup";
import {
  AzureVm,
  countedVms,
  deallocateVm,
  readPowerState,
  requireAzure,
  requireVms,
} from "../../host/azureVm";
import { storeCommand } from "../../project/storeCommand";
import { openSession, Session, StackOptions } from "../../project/session";
import type { Checkpoint } from "../../state/checkpoint";
import { takeLock } from "../../state/locks";
import { stackLockFile } from "../../state/state";
import { untilInterrupted, withProgress } from "../../terminal/interruption";
import { confirm, isInteractive, Reporter, reporter } from "../../terminal/terminal";
import { defineCommand } from "../command";
import { parseStack, STACK_ARGUMENT, STACK_FLAGS, StackFlags } from "../stackFlags";

interface StopFlags extends StackFlags {
  readonly yes?: boolean;
}

interface StopOptions extends StackOptions {
  /** Don't ask for confirmation. */
  readonly yes: boolean;
}

export const stop = defineCommand<StopFlags, StopOptions>({
  name: "stop",
  summary: "stop the stack's VMs in Azure, which then cost nothing but their disks and addresses",
  arguments: [STACK_ARGUMENT],
  flags: [...STACK_FLAGS, new Option("-y, --yes", "don't ask for confirmation")],
  examples: ["./store stop staging", "./store stop staging --yes"],
  notes: "The store is offline until `./store start`. Data, address and configuration stay.",
  parse: ({ args: [stack], flags }) => ({ ...parseStack(flags, stack), yes: flags.yes === true }),
  run,
});

async function run(options: StopOptions): Promise<ExitCode> {
  await stopStack(openSession(options), options, reporter());
  return ExitCode.Ok;
}

/** Stops the stack's VM unless it is stopped. @throws CliError */
export async function stopStack(
  session: Session,
  { yes }: Pick<StopOptions, "yes">,
  report: Reporter,
): Promise<void> {
  const { stack, state } = session;
  requireAzure(session, "stop");
  if (!yes && !isInteractive()) {
    throw new UsageError(
      `Refusing to stop stack ${stack.name} without confirmation (no terminal).`,
      `Pass --yes: ${storeCommand("stop", stack.name)} --yes`,
    );
  }
  const release = takeLock(stackLockFile(state, stack.name), stack.name, `stop ${stack.name}`);
  try {
    await removeStaleEngineLocks(session, report);
    await stopVms(session, yes, report);
  } finally {
    release();
  }
}

async function stopVms(session: Session, yes: boolean, report: Reporter): Promise<void> {
  const { name } = session.stack;
  const checkpoint = await loadCheckpoint(session);
  const vms = requireVms(name, checkpoint);
  const cost = renderStoppedCost(checkpoint);
  // "Stopped" isn't enough: Azure charges a VM that was only shut down.
  const states = await Promise.all(vms.map((vm) => readPowerState(vm, {})));
  const running = vms.filter((_, i) => states[i] !== "deallocated");
  if (running.length === 0) {
    report.note(`Stack ${name} is already stopped. Start it: ${storeCommand("start", name)}`);
    if (cost !== undefined) report.note(cost);
    return;
  }
  if (!yes) {
    process.stderr.write(renderPlan(name, running, checkpoint, cost));
    if (!(await confirm("Continue?"))) return;
  }
  report.step(`Stopping the ${countedVms(running)} of the stack ${name}`);
  await untilInterrupted(
    (signal) =>
      withProgress(report, `Azure stops the ${countedVms(running)}`, () =>
        Promise.all(running.map((vm) => deallocateVm(vm, { signal }))),
      ),
    {
      summary: `Interrupted. Azure may go on stopping the VM of the stack ${name}.`,
      hint: `Wait for it: ${storeCommand("stop", name)}. Or start it again: ${storeCommand("start", name)}`,
    },
  );
  report.note(`Stack ${name} is stopped. Start it: ${storeCommand("start", name)}`);
  if (cost !== undefined) report.note(cost);
}

function renderPlan(
  stack: string,
  vms: readonly AzureVm[],
  checkpoint: Checkpoint | undefined,
  cost: string | undefined,
): string {
  const url = addressInState(checkpoint)?.url;
  return [
    `This stops the ${countedVms(vms)} of stack ${stack}: ${vms.map(({ id }) => id).join(", ")}`,
    `The store${url === undefined ? "" : ` at ${url}`} is offline until ${storeCommand("start", stack)}. Its data and its address stay.`,
    ...(cost === undefined ? [] : [cost]),
    "",
  ].join("\n");
}
