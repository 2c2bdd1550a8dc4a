import { rmSync } from "node:fs";
import { join } from "node:path";
import { Option } from "commander";
import { ExitCode, UsageError } from "@store/docker/cliError";
import { removalCost, renderRemovalCost } from "../../cost/stackCost";
import { diagnoseRun } from "../../diagnostics/diagnose";
import { DockerState, planDrift, readDockerState } from "../../docker/drift";
import { hasSshFiles, removeSshFiles } from "../../docker/hostDocker";
import { fetchCheckpoint } from "../../engine/loadCheckpoint";
import { runOnStack } from "../../engine/runOnStack";
import { connectEngine, EngineContext, removeStaleEngineLocks } from "../../engine/setup";
import { hasOption } from "../../engine/pulumiArguments";
import { ensureSshFiles } from "../../host/remoteHost";
import { cleanUp } from "../../lifecycle/cleanUp";
import { describeDeletions, DownPlan, planDown } from "../../lifecycle/downPlan";
import { followDaemon } from "../../lifecycle/followDaemon";
import { releaseLostMachines } from "../../lifecycle/lostMachines";
import { CLEAR_PENDING_CREATES, removeOrphans } from "../../lifecycle/reconcileDrift";
import { connectStackHost } from "../../lifecycle/stackHost";
import { isAzure, openSession, Session, StackOptions } from "../../project/session";
import type { Checkpoint } from "../../state/checkpoint";
import { InterruptedRun } from "../../state/interruptedRun";
import { takeLock } from "../../state/locks";
import { StackDaemon } from "../../state/stackDaemon";
import { stackLockFile } from "../../state/state";
import { CONTEXTS_FOLDER } from "../../state/upToDate";
import { confirm, isInteractive, Reporter, reporter } from "../../terminal/terminal";
import { defineCommand } from "../command";
import { parseStack, STACK_ARGUMENT, STACK_FLAGS, StackFlags } from "../stackFlags";
import { storeCommand } from "../../project/storeCommand";

interface DownFlags extends StackFlags {
  readonly yes?: boolean;
  readonly volumes?: boolean;
}

interface DownOptions extends StackOptions {
  /** Don't ask for confirmation. */
  readonly yes: boolean;
  /** Delete the data, too. */
  readonly volumes: boolean;
  /** Further options of `pulumi destroy`. */
  readonly pulumi: readonly string[];
}

export const down = defineCommand<DownFlags, DownOptions>({
  name: "down",
  summary: "remove the stack; keeps its data unless --volumes is given",
  arguments: [STACK_ARGUMENT],
  flags: [
    ...STACK_FLAGS,
    new Option("-y, --yes", "don't ask for confirmation"),
    new Option("--volumes", "delete the data, too"),
  ],
  examples: [
    "./store down",
    "./store down --yes",
    "./store down --volumes      also deletes the data and the databases' passwords",
  ],
  parse: ({ args: [stack], flags, rest }) => ({
    ...parseStack(flags, stack),
    yes: flags.yes === true,
    volumes: flags.volumes === true,
    pulumi: rest,
  }),
  run,
});

async function run(options: DownOptions): Promise<ExitCode> {
  const session = openSession(options);
  const { stack, state } = session;
  if (!options.yes && !isInteractive()) {
    throw new UsageError(
      `Refusing to destroy stack ${stack.name} without confirmation (no terminal).`,
      `Pass --yes: ${storeCommand("down --yes", stack.name)}`,
    );
  }
  const report = reporter();
  const release = takeLock(stackLockFile(state, stack.name), stack.name, `down ${stack.name}`);
  try {
    await removeStaleEngineLocks(session, report);
    await removeStack(session, options, report);
    return ExitCode.Ok;
  } finally {
    release();
  }
}

async function removeStack(
  session: Session,
  options: DownOptions,
  report: Reporter,
): Promise<void> {
  const { stack, state } = session;
  const engine = await connectEngine(session, report);
  await followDaemon(session, engine, report);
  const checkpoint = await fetchCheckpoint(session, engine);
  const before = engine.docker && (await readDockerState(engine.docker));
  const plan = planDown(checkpoint, before, options.volumes);
  if (describeDeletions(plan).length === 0) {
    report.note(renderNothingToDo(stack.name, plan));
    return;
  }
  const cost = renderRemovalCost(removalCost(checkpoint, options.volumes));
  process.stderr.write(options.yes ? "" : renderPlan(stack.name, plan, cost));
  if (!options.yes && !(await confirm("Continue?"))) return;

  if (checkpoint && (checkpoint.resources.length > 0 || checkpoint.pending.length > 0)) {
    await destroy(session, engine, { checkpoint, dockerState: before, plan }, options, report);
    if (hasSshFiles(session)) removeSshFiles(session, await fetchCheckpoint(session, engine));
  }
  rmSync(join(session.project.root, CONTEXTS_FOLDER, stack.name), { recursive: true, force: true });
  if (engine.docker) await cleanUp(session, engine.docker, checkpoint, before, report);
  if (plan.keptData.length === 0) new StackDaemon(state, stack.name).clear();
  report.note(renderResult(stack.name, plan));
  if (cost !== undefined) report.note(cost);
}

interface StackToDestroy {
  readonly checkpoint: Checkpoint;
  /** Undefined for a stack on another host. */
  readonly dockerState: DockerState | undefined;
  readonly plan: DownPlan;
}

async function destroy(
  session: Session,
  engine: EngineContext,
  { checkpoint, dockerState, plan }: StackToDestroy,
  options: DownOptions,
  report: Reporter,
): Promise<void> {
  const pulumi = async (args: readonly string[]): Promise<void> => {
    const run = await runOnStack(session, engine, args, { events: true });
    const retry = storeCommand(options.volumes ? "down --volumes" : "down", session.stack.name);
    if (run.exitCode !== 0) throw await diagnoseRun("down", session, engine.docker, run, { retry });
  };
  await ensureSshFiles(session);
  await releaseLostMachines(session, engine, checkpoint, "all", report);
  if (dockerState === undefined) await removeRemoteOrphans(session, engine, checkpoint, report);
  const drift = dockerState ? planDrift(checkpoint, dockerState) : undefined;
  if (drift?.clearPendingCreates) await pulumi(CLEAR_PENDING_CREATES);
  const refresh = drift && drift.differences.length > 0 && !drift.clearPendingCreates;
  await pulumi([
    "destroy",
    "--yes",
    "--skip-preview",
    ...(options.volumes ? destroyAll(options) : destroyWithoutData(plan, options)),
    ...(refresh ? ["--refresh"] : []),
    ...options.pulumi,
  ]);
}

/** Removes what an interrupted run has left on another host, of which the engine knows nothing. A VM is deleted with everything on it. */
async function removeRemoteOrphans(
  session: Session,
  engine: EngineContext,
  checkpoint: Checkpoint,
  report: Reporter,
): Promise<void> {
  const interrupted = new InterruptedRun(session.state, session.stack.name);
  const isInterrupted = interrupted.exists || checkpoint.pending.length > 0;
  if (!isInterrupted || isAzure(session)) return;
  const host = await connectStackHost(session, engine, checkpoint);
  if (host === undefined) return;
  try {
    const state = await readDockerState(host.docker, checkpoint);
    const { orphans } = planDrift(checkpoint, state, interrupted.resourceNames());
    await removeOrphans(host.docker, orphans, report);
  } finally {
    host.docker.close();
  }
}

/**
 * Naming all resources as targets makes the engine leave out its advice to remove the stack from the backend; the next `up` uses the
 * stack again.
 */
function destroyAll({ pulumi }: DownOptions): string[] {
  return ["--ignore-protect", ...(hasOption(pulumi, "--target", "-t") ? [] : ["--target", "**"])];
}

/** The engine can't combine the options `--target` and `--exclude`. */
function destroyWithoutData({ keptUrns }: DownPlan, { pulumi }: DownOptions): string[] {
  const kept = hasOption(pulumi, "--target", "-t") ? [] : keptUrns;
  return ["--exclude-protected", ...kept.flatMap((urn) => ["--exclude", urn])];
}

function renderPlan(stack: string, plan: DownPlan, cost: string | undefined): string {
  const deletions = describeDeletions(plan).map((line) => `  - ${line}\n`);
  const kept =
    plan.keptData.length > 0
      ? `The data is kept (${plan.keptData.join(", ")}). --volumes deletes it, too.\n`
      : "";
  return `This deletes from stack ${stack}:\n${deletions.join("")}${kept}${cost === undefined ? "" : `${cost}\n`}`;
}

function renderNothingToDo(stack: string, { keptData }: DownPlan): string {
  return keptData.length > 0
    ? `Stack ${stack} is already down. Its data is kept: ${keptData.join(", ")} (--volumes deletes it).`
    : `Stack ${stack} has no resources.`;
}

function renderResult(stack: string, { keptData }: DownPlan): string {
  return keptData.length > 0
    ? `Stack ${stack} is down. Its data is kept: ${keptData.join(", ")}.`
    : `Stack ${stack} is down. All its resources are deleted.`;
}
