import { diagnoseRun } from "../diagnostics/diagnose";
import type { Docker } from "@store/docker/docker";
import {
  DriftPlan,
  Orphan,
  planDrift,
  readDockerState,
  RemainingDrift,
  removeOrphan,
} from "../docker/drift";
import { findFaults } from "../docker/containerFaults";
import { repairFaults } from "./repairFaults";
import { EngineContext, fetchCheckpoint, runOnStack } from "../engine/setup";
import type { Session } from "../project/session";
import { imagesIn } from "../docker/images";
import { UsedImages } from "../state/usedImages";
import { InterruptedRun } from "../state/interruptedRun";
import type { Reporter } from "../terminal/terminal";

/** Arguments that make Pulumi drop the pending creations of its state. */
export const CLEAR_PENDING_CREATES: readonly string[] = [
  "refresh",
  "--clear-pending-creates",
  "--yes",
  "--skip-preview",
];

/** Maximum number of printed differences. */
const PRINTED = 5;

const NO_DRIFT: RemainingDrift = {
  differences: [],
  clearPendingCreates: false,
  orphans: [],
  replace: [],
  isRepaired: false,
};

/**
 * Removes what an interrupted run or a manual change left behind, as far as possible before the engine runs.
 *
 * @returns The rest: differences that need `--refresh`, containers to replace, and orphans that still serve requests and can go only
 *   after the `up`.
 */
export async function reconcileDrift(
  session: Session,
  engine: EngineContext,
  report: Reporter,
): Promise<RemainingDrift> {
  const { docker } = engine;
  if (docker === undefined) return NO_DRIFT;
  const { state, stack } = session;
  const interruptedRun = new InterruptedRun(state, stack.name);
  // Reading the state from a remote backend is slow: only do it after an interrupted run.
  const readsState = state.backend.kind === "workspace" || interruptedRun.exists;
  const checkpoint = readsState ? await fetchCheckpoint(session, engine) : undefined;
  if (checkpoint === undefined) return NO_DRIFT;
  // The next `up` may replace images; `down` removes those, too.
  new UsedImages(state, stack.name).add(imagesIn(checkpoint).map(({ name }) => name));
  const [dockerState, faulty] = await Promise.all([
    readDockerState(docker),
    findFaults(docker, checkpoint),
  ]);
  const plan = planDrift(checkpoint, dockerState, interruptedRun.resourceNames());
  if (plan.differences.length + plan.orphans.length + faulty.length === 0) return NO_DRIFT;

  report.step("Drift detected; reconciling");
  const { differences, replace, repaired } = await repairFaults(docker, faulty, report);
  const drift = { ...plan, differences: [...plan.differences, ...differences] };
  reportDrift(drift, report);
  const idle = drift.orphans.filter(({ serving }) => !serving);
  await removeOrphans(docker, idle, report);
  if (drift.clearPendingCreates) {
    const run = await runOnStack(session, engine, CLEAR_PENDING_CREATES, { events: true });
    if (run.exitCode !== 0) throw await diagnoseRun("up", session, docker, run);
  }
  return {
    ...drift,
    replace,
    isRepaired: repaired > 0 || idle.length > 0,
    // Clearing the pending creations has refreshed the state.
    differences: drift.clearPendingCreates ? [] : drift.differences,
    orphans: drift.orphans.filter(({ serving }) => serving),
  };
}

function reportDrift({ differences }: DriftPlan, report: Reporter): void {
  for (const difference of differences.slice(0, PRINTED)) report.note(difference);
  if (differences.length > PRINTED) report.note(`and ${differences.length - PRINTED} more`);
}

export async function removeOrphans(
  docker: Docker,
  orphans: readonly Orphan[],
  report: Reporter,
): Promise<void> {
  for (const orphan of orphans) {
    const refusal = await removeOrphan(docker, orphan);
    report.note(
      refusal === undefined
        ? `removed ${orphan.kind} ${orphan.name}, an orphan of an interrupted run`
        : `could not remove ${orphan.kind} ${orphan.name}, an orphan of an interrupted run: ${refusal}`,
    );
  }
}
