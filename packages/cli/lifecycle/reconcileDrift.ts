import { CliError } from "@store/docker/cliError";
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
import { describeMachineFault, machineFaults, machineHint, swarmNodes } from "../docker/swarmNodes";
import { describeFaults, repairFaults } from "./repairFaults";
import { machineRepairs, repairMachines } from "./repairMachines";
import { runOnStack } from "../engine/runOnStack";
import { EngineContext } from "../engine/setup";
import type { Session } from "../project/session";
import { imagesIn } from "../docker/images";
import type { Checkpoint } from "../state/checkpoint";
import { restoreNames } from "./lostImages";
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

/** A stack whose drift is reconciled. */
export interface DriftTarget {
  readonly docker: Docker;
  readonly checkpoint: Checkpoint;
  /** The host may be changed. If false, drift is only reported and left to the engine, which asks before it changes anything. */
  readonly mayRepair: boolean;
}

/**
 * Removes what an interrupted run or a manual change left behind, as far as possible before the engine runs.
 *
 * @param target Undefined for a stack without a host that answers.
 * @returns The rest: differences that need `--refresh`, containers to replace, and orphans that still serve requests and can go only
 *   after the `up`.
 */
export async function reconcileDrift(
  session: Session,
  engine: EngineContext,
  target: DriftTarget | undefined,
  report: Reporter,
): Promise<RemainingDrift> {
  if (target === undefined) return NO_DRIFT;
  const { docker, checkpoint, mayRepair } = target;
  const { state, stack } = session;
  const interruptedRun = new InterruptedRun(state, stack.name);
  // The next `up` may replace images; `down` removes those, too.
  new UsedImages(state, stack.name).add(imagesIn(checkpoint).map(({ name }) => name));
  const [dockerState, faulty, nodes] = await Promise.all([
    readDockerState(docker, checkpoint),
    findFaults(docker, checkpoint),
    swarmNodes(docker, checkpoint),
  ]);
  const machines = machineFaults(checkpoint, nodes);
  if (mayRepair) await restoreNames(docker, checkpoint, dockerState.images, report);
  const plan = planDrift(checkpoint, dockerState, interruptedRun.resourceNames());
  const count = plan.differences.length + plan.orphans.length + faulty.length + machines.length;
  if (count === 0) return NO_DRIFT;
  const lost = machines.find(({ kind }) => kind === "lost-swarm");
  // The engine can't even refresh the state of services without a swarm.
  if (lost && !mayRepair)
    throw new CliError(describeMachineFault(lost), {
      hint: machineHint(lost, stack.name, checkpoint),
    });

  report.step(mayRepair ? "Drift detected; reconciling" : "Drift detected");
  const [onMachines, onContainers] = mayRepair
    ? [
        await repairMachines(docker, machineRepairs(session, checkpoint), machines, report),
        await repairFaults(docker, faulty, report),
      ]
    : [
        { differences: machines.map(describeMachineFault), replace: [], repaired: 0 },
        { differences: describeFaults(faulty), replace: [], repaired: 0 },
      ];
  const drift = {
    ...plan,
    // Causes first: without its swarm, a host has no networks either.
    differences: [onMachines, plan, onContainers].flatMap(({ differences }) => differences),
    replace: [...onMachines.replace, ...onContainers.replace],
    isRepaired: onMachines.repaired + onContainers.repaired > 0,
  };
  reportDrift(drift, report);
  return mayRepair ? removeRemains(session, engine, docker, drift, report) : drift;
}

/** Removes orphans that serve no requests, and pending creations in the state. */
async function removeRemains(
  session: Session,
  engine: EngineContext,
  docker: Docker,
  drift: RemainingDrift,
  report: Reporter,
): Promise<RemainingDrift> {
  const idle = drift.orphans.filter(({ serving }) => !serving);
  await removeOrphans(docker, idle, report);
  if (drift.clearPendingCreates) {
    const run = await runOnStack(session, engine, CLEAR_PENDING_CREATES, { events: true });
    if (run.exitCode !== 0) throw await diagnoseRun("up", session, docker, run);
  }
  return {
    ...drift,
    isRepaired: drift.isRepaired || idle.length > 0,
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
