import { ExitCode } from "@store/docker/cliError";
import { loadCheckpoint } from "../../engine/loadCheckpoint";
import { removeStaleEngineLocks } from "../../engine/setup";
import { countedVms, readPowerState, requireAzure, requireVms, startVm } from "../../host/azureVm";
import { awaitStore } from "../../lifecycle/awaitStore";
import { storeCommand } from "../../project/storeCommand";
import { openSession, Session, StackOptions } from "../../project/session";
import { takeLock } from "../../state/locks";
import { stackLockFile } from "../../state/state";
import { untilInterrupted, withProgress } from "../../terminal/interruption";
import { colors, Reporter, reporter } from "../../terminal/terminal";
import { defineCommand } from "../command";
import { parseStack, STACK_ARGUMENT, STACK_FLAGS, StackFlags } from "../stackFlags";

export const start = defineCommand<StackFlags, StackOptions>({
  name: "start",
  summary: "start the stack's VMs in Azure, and wait until the store answers",
  arguments: [STACK_ARGUMENT],
  flags: STACK_FLAGS,
  examples: ["./store start staging"],
  notes: "For a VM that `./store stop` or store:shutdownTime has stopped. It changes no resource.",
  parse: ({ args: [stack], flags }) => parseStack(flags, stack),
  run,
});

async function run(options: StackOptions): Promise<ExitCode> {
  const session = openSession(options);
  const { name } = session.stack;
  const url = await startStack(session, reporter());
  process.stdout.write(
    url === undefined
      ? `The VM runs, but the stack ${name} has no gateway yet. Bring it up: ${storeCommand("up", name)}\n`
      : `The store is up: ${colors.bold(url)}\n`,
  );
  return ExitCode.Ok;
}

/**
 * Starts the stack's VM unless it runs, and waits until the store answers.
 *
 * @returns the store's address; undefined for a stack that was never up completely
 * @throws CliError
 */
export async function startStack(session: Session, report: Reporter): Promise<string | undefined> {
  const { stack, state } = session;
  requireAzure(session, "start");
  const release = takeLock(stackLockFile(state, stack.name), stack.name, `start ${stack.name}`);
  try {
    await removeStaleEngineLocks(session, report);
    return await startAndWait(session, report);
  } finally {
    release();
  }
}

async function startAndWait(session: Session, report: Reporter): Promise<string | undefined> {
  const stack = session.stack.name;
  const checkpoint = await loadCheckpoint(session);
  const vms = requireVms(stack, checkpoint);
  return untilInterrupted(
    async (stop) => {
      const limits = { signal: stop };
      const states = await Promise.all(vms.map((vm) => readPowerState(vm, limits)));
      const off = vms.filter((_, i) => states[i] !== "running");
      if (off.length === 0) {
        report.note(
          `The ${countedVms(vms)} of the stack ${stack} already run${vms.length === 1 ? "s" : ""}.`,
        );
      } else {
        report.step(`Starting the ${countedVms(off)} of the stack ${stack}`);
        await withProgress(report, `Azure starts the ${countedVms(off)}`, () =>
          Promise.all(off.map((vm) => startVm(vm, limits))),
        );
      }
      const hint = `The VM's boot log: az vm boot-diagnostics get-boot-log --ids ${vms[0]?.id ?? ""}`;
      return awaitStore({ stack, checkpoint, report, stop, hint });
    },
    {
      summary: `Interrupted. Azure may go on starting the VM of the stack ${stack}.`,
      hint: `Wait for it: ${storeCommand("start", stack)}. Or stop it again: ${storeCommand("stop", stack)}`,
    },
  );
}
