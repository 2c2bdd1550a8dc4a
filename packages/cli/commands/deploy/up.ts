import { existsSync } from "node:fs";
import { Docker } from "../../docker/docker";
import { diagnoseRun } from "../../diagnostics/diagnose";
import { ExitCode, UsageError } from "@store/docker/cliError";
import { taintFailedVm } from "../../host/failedProvisioning";
import { DriftPlan, Orphan, planDrift, readDockerState, removeOrphan } from "../../docker/drift";
import { takeLock } from "../../state/locks";
import { checkPort } from "../../diagnostics/port";
import { ensureSshFiles } from "../../host/remoteHost";
import { stackOption, storeCommand } from "../../project/project";
import { isLocal, openSession, Session, StackOptions } from "../../project/session";
import {
  removeStaleEngineLocks,
  ensureStack,
  EngineContext,
  fetchCheckpoint,
  runOnStack,
  setUpEngine,
} from "../../engine/setup";
import { stackLockFile, checkpointFile } from "../../state/state";
import { inputHash, UpToDate } from "../../state/upToDate";
import { InterruptedRun } from "../../state/interruptedRun";
import { colors, isInteractive, Reporter, reporter } from "../../terminal/terminal";
import { storeUrl } from "../../docker/url";
import { listContainers } from "../../docker/containers";

export interface UpOptions extends StackOptions {
  readonly yes?: boolean;
  readonly refresh?: boolean;
  /** Further options of `pulumi up`. */
  readonly pulumi: readonly string[];
}

export async function up(options: UpOptions): Promise<ExitCode> {
  const session = openSession(options);
  const { stack, state } = session;
  // On one's own machine it is up in one run; what others use is previewed and asked for first.
  const straight = isLocal(session) || options.yes === true;
  const asks = !straight && isInteractive();

  const report = reporter();
  const release = takeLock(stackLockFile(state, stack.name), stack.name, `up ${stack.name}`);
  try {
    await removeStaleEngineLocks(session, report);
    const ready = await setUpEngine(session, report, { baseImages: true });
    await ensureStack(session, ready);
    const healing = await heal(session, ready, report);
    if (ready.docker) await checkPort(session, ready.docker);

    const unfinished = new InterruptedRun(state, stack.name);
    const lastUp = new UpToDate(session);
    if (ready.docker && mayBeSkipped(options, healing) && !unfinished.exists) {
      const now = fingerprintOf(session, ready);
      if (now !== undefined && lastUp.matches(now)) {
        report.note(
          "everything is unchanged since the last up; --refresh compares it all the same",
        );
        await sayWhatIsUp(session, ready.docker);
        return ExitCode.Ok;
      }
    }
    unfinished.record();

    const verb = straight || asks ? "up" : "preview";
    const refresh = options.refresh === true || healing.differences.length > 0;
    if (refresh) await ensureSshFiles(session);
    const run = await runOnStack(
      session,
      ready,
      [
        verb,
        ...(verb === "up" && straight ? ["--yes", "--skip-preview"] : []),
        ...(refresh ? ["--refresh"] : []),
        ...options.pulumi,
      ],
      { events: true },
    );
    if (run.exitCode !== 0) {
      unfinished.record(run.events);
      await taintFailedVm(session, ready, run.events, report);
      throw await diagnoseRun("up", session, ready.docker, run);
    }
    unfinished.clear();
    if (verb === "preview") throw notAsked(stack.name);
    if (ready.docker) {
      await removeOrphans(ready.docker, healing.orphans, report);
      const now = fingerprintOf(session, ready);
      if (now !== undefined) lastUp.save(now);
      await sayWhatIsUp(session, ready.docker);
    }
    return ExitCode.Ok;
  } finally {
    release();
  }
}

/** Whoever gives the engine options, or has it look at what is there, wants it to run. */
function mayBeSkipped(options: UpOptions, healing: DriftPlan): boolean {
  const isWell = healing.differences.length === 0 && healing.orphans.length === 0;
  return isWell && options.refresh !== true && options.pulumi.length === 0;
}

/** Nothing where the record is on another backend: it would have to be asked for. */
function fingerprintOf(session: Session, ready: EngineContext): string | undefined {
  const record = checkpointFile(session.state, session.stack.name);
  if (record === undefined || ready.docker === undefined || !existsSync(record)) return undefined;
  return inputHash(session, {
    record,
    engine: ready.engine.pulumi,
    dockerHost: ready.docker.host,
  });
}

/** Puts right what an interrupted run or somebody's hand has left, as far as that goes before the engine runs. */
async function heal(session: Session, ready: EngineContext, report: Reporter): Promise<DriftPlan> {
  if (ready.docker === undefined) return NOTHING_TO_HEAL;
  // A backend far away is asked only when there is reason to.
  const { state, stack } = session;
  const unfinished = new InterruptedRun(state, stack.name);
  const asks = state.backend.kind === "checkout" || unfinished.exists;
  const checkpoint = asks ? await fetchCheckpoint(session, ready) : undefined;
  if (checkpoint === undefined) return NOTHING_TO_HEAL;
  const there = await readDockerState(ready.docker, session.project.name, session.stack.name);
  const healing = planDrift(checkpoint, there, unfinished.resourceNames());
  if (healing.differences.length === 0 && healing.orphans.length === 0) return healing;

  report.step("Not everything is as the last run recorded it; putting it right");
  for (const difference of healing.differences.slice(0, 5)) report.note(difference);
  if (healing.differences.length > 5) report.note(`and ${healing.differences.length - 5} more`);
  const now = healing.orphans.filter(({ serving }) => !serving);
  await removeOrphans(ready.docker, now, report);
  if (healing.clearPendingCreates) {
    const args = ["refresh", "--clear-pending-creates", "--yes", "--skip-preview"];
    const run = await runOnStack(session, ready, args, { events: true });
    if (run.exitCode !== 0) throw await diagnoseRun("up", session, ready.docker, run);
  }
  return {
    ...healing,
    // That refresh has already looked at everything.
    differences: healing.clearPendingCreates ? [] : healing.differences,
    orphans: healing.orphans.filter(({ serving }) => serving),
  };
}

async function removeOrphans(
  docker: Docker,
  orphans: readonly Orphan[],
  report: Reporter,
): Promise<void> {
  for (const orphan of orphans) {
    const refusal = await removeOrphan(docker, orphan);
    report.note(
      refusal === undefined
        ? `removed the ${orphan.kind} ${orphan.name}, which an interrupted run had left`
        : `the ${orphan.kind} ${orphan.name}, which an interrupted run had left, stays: ${refusal}`,
    );
  }
}

async function sayWhatIsUp(session: Session, docker: Docker): Promise<void> {
  const containers = await listContainers(docker, session.project.name, session.stack.name);
  const url = storeUrl(containers, "localhost");
  if (url) process.stdout.write(`The store is up: ${colors.bold(url)}\n`);
  const { name } = session.stack;
  const next: readonly [string, string][] = [
    [storeCommand("ps", name), "what runs, and how it is"],
    [`./store logs -f${stackOption(name)}`, "what the services log"],
    [storeCommand("down", name), "take it down; the data stays"],
  ];
  const width = Math.max(...next.map(([command]) => command.length));
  for (const [command, purpose] of next) {
    process.stdout.write(colors.dim(`  ${command.padEnd(width)}  ${purpose}\n`));
  }
}

function notAsked(stack: string): UsageError {
  return new UsageError(
    `That was a preview: without a terminal nobody can be asked whether the stack ${stack} may be changed.`,
    `Say so: ./store up ${stack} --yes`,
  );
}

const NOTHING_TO_HEAL: DriftPlan = { differences: [], clearPendingCreates: false, orphans: [] };
