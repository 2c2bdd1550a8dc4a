import { Option } from "commander";
import { messageOf } from "@store/docker/messageOf";
import { CliError, ExitCode, UsageError } from "@store/docker/cliError";
import type { SshTarget } from "@store/docker/sshAgent";
import { hasSshFiles, hostIn, sshTargetOf } from "../../docker/hostDocker";
import { loadCheckpoint } from "../../engine/loadCheckpoint";
import { removeStaleEngineLocks } from "../../engine/setup";
import { hasWorkers } from "../../docker/swarmNodes";
import { sshUrl } from "../../../../components/host/ssh/sshFiles";
import { awaitNextBoot, BootState, listed, readBootState, sendReboot } from "../../host/bootState";
import { ensureSshFiles } from "../../host/remoteHost";
import { diagnoseHost } from "../../host/stoppedVm";
import { awaitStore } from "../../lifecycle/awaitStore";
import { storeCommand } from "../../project/storeCommand";
import { isLocal, openSession, Session, StackOptions } from "../../project/session";
import type { Checkpoint } from "../../state/checkpoint";
import { takeLock } from "../../state/locks";
import { stackOutputs } from "../../state/outputs";
import { stackLockFile } from "../../state/state";
import { untilInterrupted, withProgress } from "../../terminal/interruption";
import { colors, confirm, isInteractive, Reporter, reporter } from "../../terminal/terminal";
import { defineCommand } from "../command";
import { parseStack, STACK_ARGUMENT, STACK_FLAGS, StackFlags } from "../stackFlags";

interface RebootFlags extends StackFlags {
  readonly yes?: boolean;
}

interface RebootOptions extends StackOptions {
  /** Don't ask for confirmation. */
  readonly yes: boolean;
}

export const reboot = defineCommand<RebootFlags, RebootOptions>({
  name: "reboot",
  summary:
    "reboot the stack's machines, for example after updates, and wait until the store answers",
  arguments: [STACK_ARGUMENT],
  flags: [...STACK_FLAGS, new Option("-y, --yes", "don't ask for confirmation")],
  examples: ["./store reboot staging", "./store reboot staging --yes"],
  notes: "It first says whether updates need a reboot, as `./store ps` does.",
  parse: ({ args: [stack], flags }) => ({ ...parseStack(flags, stack), yes: flags.yes === true }),
  run,
});

/** Limits in milliseconds: of one connection, of the reboot, and between two looks at the host. */
const CONNECTION_MS = 15_000;
const REBOOT_MS = 600_000;
const INTERVAL_MS = 2_000;

async function run(options: RebootOptions): Promise<ExitCode> {
  const url = await rebootStack(openSession(options), options, reporter());
  if (url === undefined) return ExitCode.Ok;
  const address = url === "" ? "" : ` The store is up: ${colors.bold(url)}`;
  process.stdout.write(`The host has booted.${address}\n`);
  return ExitCode.Ok;
}

/**
 * Reboots the stack's machines one after the other, the host last, after a confirmation, and waits until the store answers.
 *
 * @param options.intervalMs Time between two looks at the host. @default 2 s
 * @returns the store's address; empty for a stack without a gateway, undefined if the user declines
 * @throws CliError
 */
export async function rebootStack(
  session: Session,
  { yes, intervalMs = INTERVAL_MS }: Pick<RebootOptions, "yes"> & { readonly intervalMs?: number },
  report: Reporter,
): Promise<string | undefined> {
  const { stack, state } = session;
  refuseUnasked(session, yes);
  const release = takeLock(stackLockFile(state, stack.name), stack.name, `reboot ${stack.name}`);
  try {
    await removeStaleEngineLocks(session, report);
    const checkpoint = await loadCheckpoint(session);
    const machines: Machine[] = [];
    for (const machine of await findMachines(session, checkpoint)) {
      const before = await readStateNow(session, machine);
      report.note(
        typeof before === "string"
          ? `${machine.name} isn't rebooted, because it doesn't answer: ${before}`
          : describe(before, machine.name),
      );
      if (typeof before !== "string") machines.push({ ...machine, before });
    }
    if (!yes && !(await confirmed(stack.name))) return undefined;
    return await rebootMachines({ session, checkpoint, machines, intervalMs, report });
  } finally {
    release();
  }
}

/** @throws UsageError for a local stack, and without a confirmation where none can be asked for */
function refuseUnasked(session: Session, yes: boolean): void {
  const { name } = session.stack;
  if (isLocal(session)) {
    throw new UsageError(
      `The stack ${name} runs on this machine, which ./store doesn't reboot.`,
      "Name a stack with a remote host, for example staging.",
    );
  }
  if (yes || isInteractive()) return;
  throw new UsageError(
    `Refusing to reboot the host of stack ${name} without confirmation (no terminal).`,
    `Pass --yes: ${storeCommand("reboot", name)} --yes`,
  );
}

/** Returns the workers of a swarm, then the host. */
async function findMachines(
  session: Session,
  checkpoint: Checkpoint | undefined,
): Promise<Omit<Machine, "before">[]> {
  const host = hostIn(checkpoint);
  if (host === undefined) {
    const { name } = session.stack;
    throw new CliError(`The stack ${name} has no host because it isn't up.`, {
      hint: `Bring it up: ${storeCommand("up", name)}`,
    });
  }
  const workers = hasWorkers(checkpoint)
    ? ((await stackOutputs(session)).access?.workers ?? [])
    : [];
  // The program writes the keys of the host only.
  if (!hasSshFiles(session) || workers.length > 0) await ensureSshFiles(session);
  return [
    ...workers.map(({ address, port, user, name = address }) => ({
      ...{ name: `the worker ${name}`, isHost: false },
      target: sshTargetOf({ ...host, url: sshUrl(user, address, port) }, session),
    })),
    { name: "the host", isHost: true, target: sshTargetOf(host, session) },
  ];
}

/**
 * Reads the state of a machine.
 *
 * @returns why it doesn't answer, for a worker
 * @throws VmStopped, or a CliError if the host doesn't answer for another reason
 */
async function readStateNow(
  session: Session,
  { target, isHost }: Pick<Machine, "target" | "isHost">,
): Promise<BootState | string> {
  try {
    return await readBootState(target, { timeoutMs: CONNECTION_MS });
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    if (isHost) throw await diagnoseHost(session, error);
    return messageOf(error.cause ?? error);
  }
}

function describe({ pending }: BootState, machine: string): string {
  return pending === undefined
    ? `No update needs a reboot of ${machine}.`
    : `Updates need a reboot of ${machine}${listed(pending)}.`;
}

function confirmed(stack: string): Promise<boolean> {
  process.stderr.write(
    `This reboots the machines of stack ${stack}. The store is offline for a few minutes; its data stays.\n`,
  );
  return confirm("Continue?");
}

/** A machine to reboot. */
interface Machine {
  /** For messages, such as "the host". */
  readonly name: string;
  /** It runs the gateway and the databases. */
  readonly isHost: boolean;
  readonly target: SshTarget;
  readonly before: BootState;
}

interface Reboot {
  readonly session: Session;
  readonly checkpoint: Checkpoint | undefined;
  readonly machines: readonly Machine[];
  readonly intervalMs: number;
  readonly report: Reporter;
}

/** Reboots the machines one after the other, and waits until the store answers. Returns its address; empty for a stack without a gateway. */
async function rebootMachines({
  session,
  checkpoint,
  machines,
  intervalMs,
  report,
}: Reboot): Promise<string> {
  const stack = session.stack.name;
  return untilInterrupted(
    async (stop) => {
      const limits = { timeoutMs: CONNECTION_MS, signal: stop };
      for (const { name, target, before } of machines) {
        report.step(`Rebooting ${name} of the stack ${stack}`);
        await sendReboot(target, limits);
        const wait = { ...limits, before: before.bootId, limitMs: REBOOT_MS, intervalMs };
        const hasBooted = await withProgress(report, `waiting until ${name} has booted`, () =>
          awaitNextBoot(target, wait),
        );
        if (!hasBooted) throw notBooted(stack, name);
      }
      return (await awaitStore({ stack, checkpoint, report, stop })) ?? "";
    },
    {
      summary: `Interrupted. A machine of the stack ${stack} may be rebooting.`,
      hint: `See whether it is back: ${storeCommand("ps", stack)}`,
    },
  );
}

function notBooted(stack: string, machine: string): CliError {
  const name = machine.replace(/^t/, "T");
  return new CliError(
    `${name} of the stack ${stack} hasn't booted again within ${REBOOT_MS / 60_000} min.`,
    {
      hint: `See whether it answers: ${storeCommand("ssh", stack)}. An Azure VM's console: Azure portal, Serial console.`,
    },
  );
}
