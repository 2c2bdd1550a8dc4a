import { CliError } from "@store/docker/cliError";
import type { Docker } from "@store/docker/docker";
import { DockerState, planDrift, readDockerState, removeOrphan } from "../docker/drift";
import { removeUnusedImages } from "../docker/images";
import type { Session } from "../project/session";
import type { Checkpoint } from "../state/checkpoint";
import { InterruptedRun } from "../state/interruptedRun";
import type { Reporter } from "../terminal/terminal";
import { storeCommand } from "../project/storeCommand";

/**
 * Removes what `pulumi destroy` leaves: orphans that aren't in the state, and unused images.
 *
 * @param before Docker's resources before `pulumi destroy`.
 * @throws CliError if resources of the state remain.
 */
export async function cleanUp(
  session: Session,
  docker: Docker,
  checkpoint: Checkpoint | undefined,
  before: DockerState | undefined,
  report: Reporter,
): Promise<void> {
  const { stack } = session;
  if (checkpoint && before) {
    const interruptedRun = new InterruptedRun(session.state, stack.name);
    const { orphans } = planDrift(checkpoint, before, interruptedRun.resourceNames());
    for (const orphan of orphans) await removeOrphan(docker, orphan);
    interruptedRun.clear();
  }
  const { removed, refused } = await removeUnusedImages(session, docker, checkpoint);
  if (removed.length > 0) {
    report.note(`removed ${removed.length} unused images: ${removed.join(", ")}`);
  }
  for (const image of refused) report.note(`kept image ${image}`);
  const after = await readDockerState(docker);
  checkRemoved(stack.name, checkpoint, after, report);
}

/**
 * Another checkout's resources have the same labels, so a remaining resource is an error only if the state has it.
 *
 * @throws CliError if resources of the state remain.
 */
function checkRemoved(
  stack: string,
  checkpoint: Checkpoint | undefined,
  after: DockerState,
  report: Reporter,
): void {
  const remaining = [
    ...after.containers.map((one) => ({ ...one, name: `container ${one.name}` })),
    ...after.networks.map((one) => ({ ...one, name: `network ${one.name}` })),
  ];
  const inState = new Set(checkpoint?.resources.flatMap(({ id }) => id ?? []));
  const names = (resources: readonly { readonly name: string }[]): string =>
    resources.map(({ name }) => name).join(", ");
  const own = remaining.filter(({ id }) => inState.has(id));
  if (own.length > 0) {
    throw new CliError(`Stack ${stack} was not removed completely: ${names(own)} remain.`, {
      hint: `Run the command again: ${storeCommand("down", stack)}`,
    });
  }
  const sameName = remaining.filter((resource) => resource.stack === stack);
  if (sameName.length > 0) {
    report.note(
      `kept resources of another stack ${stack}, whose state this checkout doesn't have (another checkout, or a deleted state): ${names(sameName)}`,
    );
  }
}
