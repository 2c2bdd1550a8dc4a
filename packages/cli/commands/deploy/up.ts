import { Option } from "commander";
import { CliError, ExitCode, UsageError } from "@store/docker/cliError";
import { reportCost } from "../../cost/stackCost";
import { diagnoseRun } from "../../diagnostics/diagnose";
import { checkPorts } from "../../diagnostics/rules/port";
import type { RemainingDrift } from "../../docker/drift";
import { ensureStack } from "../../engine/ensureStack";
import { fetchCheckpoint } from "../../engine/loadCheckpoint";
import { runOnStack } from "../../engine/runOnStack";
import { EngineContext, removeStaleEngineLocks, setUpEngine } from "../../engine/setup";
import { POLICY_OPTIONS } from "../../engine/policyPack";
import type { EngineRun } from "../../engine/runEngine";
import { taintFailedVm } from "../../host/failedProvisioning";
import { isVmStopped, VmStopped } from "../../host/stoppedVm";
import { reportUnchangedContact } from "../../docker/gateway/contactNote";
import { reportReplacedVm } from "../../host/replacedVm";
import { ensureSshFiles } from "../../host/remoteHost";
import { followDaemon } from "../../lifecycle/followDaemon";
import { CrashedContainers, CrashWatch } from "../../lifecycle/crashWatch";
import { findLostWorkers } from "../../lifecycle/lostWorkers";
import { findLostImages } from "../../lifecycle/lostImages";
import { releaseLostMachines } from "../../lifecycle/lostMachines";
import { findPortProblem, needsPortCheck } from "../../lifecycle/machinePorts";
import { pruneHost, pruneWorkers } from "../../lifecycle/pruneHost";
import { reconcileDrift, removeOrphans } from "../../lifecycle/reconcileDrift";
import { connectStackHost, StackHost } from "../../lifecycle/stackHost";
import { isAzure, isLocal, openSession, Session, StackOptions } from "../../project/session";
import { InterruptedRun } from "../../state/interruptedRun";
import { takeLock } from "../../state/locks";
import { checkpointFile, stackLockFile } from "../../state/state";
import { UpToDate } from "../../state/upToDate";
import { isInteractive, Reporter, reporter } from "../../terminal/terminal";
import { defineCommand } from "../command";
import { parseStack, STACK_ARGUMENT, STACK_FLAGS, StackFlags } from "../stackFlags";
import { finish } from "./result";
import { storeCommand } from "../../project/storeCommand";

interface UpFlags extends StackFlags {
  readonly yes?: boolean;
  readonly refresh?: boolean;
}

interface UpOptions extends StackOptions {
  /** Don't ask for confirmation. */
  readonly yes: boolean;
  readonly refresh: boolean;
  /** Further options of `pulumi up`. */
  readonly pulumi: readonly string[];
}

export const up = defineCommand<UpFlags, UpOptions>({
  name: "up",
  summary: "build what has changed and bring the stack up",
  arguments: [STACK_ARGUMENT],
  flags: [
    ...STACK_FLAGS,
    new Option("-y, --yes", "don't ask for confirmation before changing a stack on another host"),
    new Option("--refresh", "update the state from the real resources first"),
  ],
  examples: [
    "./store up",
    "./store up staging --yes",
    "./store up -- --diff        passes options to `pulumi up`",
  ],
  notes: `The stack's configuration is in Pulumi.STACK.yaml. The next \`up\` applies changes:
  ./store pulumi config set httpPort 9000                   another port
  ./store pulumi config set --path 'services[0]' orders     only orders and its dependencies
  ./store pulumi config set --path 'live[0]' orders         orders from source, restarted on changes
  ./store pulumi config set --path replicas.orders 2        two instances of orders
  ./store pulumi config rm services                         back to the default`,
  parse: ({ args: [stack], flags, rest }) => ({
    ...parseStack(flags, stack),
    yes: flags.yes === true,
    refresh: flags.refresh === true,
    pulumi: rest,
  }),
  run,
});

async function run(options: UpOptions): Promise<ExitCode> {
  const session = openSession(options);
  const { stack, state } = session;
  const report = reporter();
  const release = takeLock(stackLockFile(state, stack.name), stack.name, `up ${stack.name}`);
  try {
    await removeStaleEngineLocks(session, report);
    const engine = await setUpEngine(session, report, { baseImages: true });
    await ensureStack(session, engine);
    await followDaemon(session, engine, report);
    const checkpoint = await fetchCheckpoint(session, engine);
    const host = await connectStackHost(session, engine, checkpoint, report);
    const isConfirmed = isLocal(session) || options.yes;
    const target = checkpoint && host && { ...host, checkpoint, mayRepair: isConfirmed };
    const lost = target ? await findLostWorkers(target, stack.name, report) : [];
    const found = await reconcileDrift(session, engine, target, report);
    const drift = { ...found, replace: [...found.replace, ...lost] };
    if (engine.docker) await checkPorts(session, engine.docker);
    if (isConfirmed) await releaseLostMachines(session, engine, checkpoint, "unnamed", report);
    const upToDate = readInputs(session, engine);
    if (upToDate !== undefined && isUpToDate(options, session, drift, upToDate)) {
      report.note(
        drift.isRepaired
          ? "nothing else has changed since the last up; --refresh checks it again"
          : "everything is unchanged since the last up; --refresh checks it again",
      );
    } else {
      await deploy({ options, session, engine, upToDate, host, drift, isConfirmed, report });
    }
    const after = await connectAfterRun(session, engine, host);
    if (after === undefined && (await isVmStopped(session))) throw new VmStopped(stack.name);
    if (after && !after.isLocal && !isAzure(session))
      await pruneHost(after.docker, session.project.name, report);
    await finish(session, after, report);
    return ExitCode.Ok;
  } finally {
    release();
  }
}

/** Everything that is known before the engine runs. */
interface Deployment {
  readonly options: UpOptions;
  readonly session: Session;
  readonly engine: EngineContext;
  /** The inputs of this `up`. Undefined if they aren't recorded. */
  readonly upToDate: UpToDate | undefined;
  /** Undefined if the stack has no host yet, or if the host doesn't answer. */
  readonly host: StackHost | undefined;
  readonly drift: RemainingDrift;
  /** The engine need not ask before it changes anything. */
  readonly isConfirmed: boolean;
  readonly report: Reporter;
}

/** Returns true if the engine would find nothing to do. Options for the engine always run it. */
function isUpToDate(
  options: UpOptions,
  session: Session,
  drift: RemainingDrift,
  upToDate: UpToDate,
): boolean {
  if (drift.differences.length + drift.orphans.length + drift.replace.length > 0) return false;
  if (options.refresh || options.pulumi.length > 0) return false;
  if (new InterruptedRun(session.state, session.stack.name).exists) return false;
  return upToDate.matches();
}

/** Returns undefined if the state isn't a local file: reading it from a remote backend would take longer than it saves. */
function readInputs(session: Session, { engine, docker }: EngineContext): UpToDate | undefined {
  const checkpoint = checkpointFile(session.state, session.stack.name);
  if (checkpoint === undefined || docker === undefined) return undefined;
  return new UpToDate(session, checkpoint, { engine: engine.pulumi, dockerHost: docker.host });
}

/** Runs Pulumi. Only previews the changes if they need a confirmation and there is no terminal to ask on. */
async function deploy(deployment: Deployment): Promise<void> {
  const { options, session, engine, upToDate, host, drift, isConfirmed, report } = deployment;
  const { stack, state } = session;
  const operation = isConfirmed || isInteractive() ? "up" : "preview";
  const refresh = options.refresh || drift.differences.length > 0;
  const interruptedRun = new InterruptedRun(state, stack.name);
  interruptedRun.record();

  const { run: engineRun, crashed } = await runUp(deployment, operation, refresh, interruptedRun);
  if (engineRun.exitCode !== 0) {
    await taintFailedVm(session, engine, engineRun.events, report);
    const after = await connectAfterRun(session, engine, host);
    await checkMachinePorts(deployment, engineRun, after);
    throw await diagnoseRun("up", session, after?.docker, engineRun, { crashed });
  }
  interruptedRun.clear();
  reportUnchangedContact(engineRun.events, stack.name, report);
  reportCost(engineRun.events, report);
  if (operation === "preview") {
    reportReplacedVm(engineRun.events, report);
    throw confirmationRequired(stack.name);
  }
  if (drift.orphans.length > 0) {
    const after = await connectAfterRun(session, engine, host);
    if (after) await removeOrphans(after.docker, drift.orphans, report);
  }
  await checkMachinePorts(deployment, engineRun);
  // Others have no workers to prune, and reading the state from a remote backend is slow.
  if (!isLocal(session) && !isAzure(session))
    await pruneWorkers(session, await fetchCheckpoint(session, engine), report);
  upToDate?.save(options.pulumi);
}

/**
 * Checks the ports between machines that have just joined, or that don't start instances.
 *
 * @param after Host after the run. Defaults to connecting to it.
 * @throws CliError if a port is closed
 */
async function checkMachinePorts(
  { session, engine, host }: Deployment,
  { events }: EngineRun,
  after?: StackHost,
): Promise<void> {
  if (!needsPortCheck(events)) return;
  const { docker } = after ?? (await connectAfterRun(session, engine, host)) ?? {};
  const checkpoint = await fetchCheckpoint(session, engine);
  const problem = docker && (await findPortProblem(session, docker, checkpoint));
  if (problem !== undefined) throw problem;
}

/** Runs the engine, a second time if another stack's `down` removed an image meanwhile that this run had found. */
async function runUp(
  { options, session, engine, host, drift, isConfirmed, report }: Deployment,
  operation: "up" | "preview",
  refresh: boolean,
  interruptedRun: InterruptedRun,
): Promise<{ readonly run: EngineRun; readonly crashed: CrashedContainers }> {
  const watched = async (withRefresh: boolean): ReturnType<typeof runUp> => {
    if (withRefresh) await ensureSshFiles(session);
    const args = [
      operation,
      ...POLICY_OPTIONS,
      ...(isConfirmed ? ["--yes", "--skip-preview"] : []),
      ...(withRefresh ? ["--refresh"] : []),
      ...drift.replace.flatMap((urn) => ["--replace", urn]),
      ...options.pulumi,
    ];
    const { result: run, crashed } = await CrashWatch.during(
      session,
      {
        docker: host?.docker,
        connect: async () => (await connectAfterRun(session, engine, undefined))?.docker,
      },
      report,
      () => runOnStack(session, engine, args, { events: true }),
    );
    // At once: what follows may fail, as Docker may be gone.
    if (run.exitCode !== 0) interruptedRun.record(run.events);
    return { run, crashed };
  };
  const first = await watched(refresh);
  // Only this machine's Docker builds images; a remote host pulls them.
  if (first.run.exitCode === 0 || first.run.interrupted || engine.docker === undefined)
    return first;
  const checkpoint = await fetchCheckpoint(session, engine);
  const lost = checkpoint ? await findLostImages(engine.docker, checkpoint).catch(none) : [];
  if (lost.length === 0) return first;
  report.step(`Images were removed during the run (${lost.join(", ")}); building them again`);
  return watched(true);
}

/** Stands for the lost images of a Docker that doesn't answer, which the run's own errors report. */
function none(error: unknown): [] {
  if (error instanceof CliError) return [];
  throw error;
}

/**
 * Returns the host after or during a run. The run may have created or replaced a remote one, so the connections from before may lead to a
 * machine that no longer exists.
 *
 * @param before Host before the run. Its connections are closed unless it is this machine.
 * @returns undefined if Docker on the host doesn't answer.
 */
async function connectAfterRun(
  session: Session,
  engine: EngineContext,
  before: StackHost | undefined,
): Promise<StackHost | undefined> {
  if (before?.isLocal) return before;
  before?.docker.close();
  return connectStackHost(session, engine, await fetchCheckpoint(session, engine));
}

function confirmationRequired(stack: string): UsageError {
  return new UsageError(
    `Previewed only: refusing to change stack ${stack} without confirmation (no terminal).`,
    `Pass --yes: ${storeCommand("up --yes", stack)}`,
  );
}
