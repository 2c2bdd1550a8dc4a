import { loadCheckpoint } from "../engine/loadCheckpoint";
import type { Session } from "../project/session";
import type { Checkpoint } from "../state/checkpoint";
import { InterruptedRun } from "../state/interruptedRun";
import { OwnResources, ownResources } from "../state/ownResources";
import { listAllContainers, listContainers, runnable, StoreContainer } from "./containers";
import type { Docker } from "@store/docker/docker";
import { swarmTasks } from "./swarmTasks";

/** Lists the containers of the stack of this checkout, except for those that only hold files. */
export async function stackContainers(session: Session, docker: Docker): Promise<StoreContainer[]> {
  return containersInState(session, docker, await loadCheckpoint(session));
}

/** Lists the containers of the stack, like {@link stackContainers}, for a command that has read the state. */
async function containersInState(
  session: Session,
  docker: Docker,
  checkpoint: Checkpoint | undefined,
): Promise<StoreContainer[]> {
  return runnable(await listContainers(docker, ownResourcesIn(session, checkpoint)));
}

/** Lists the containers of the stack, like {@link stackContainers}, and its instances on the other machines of a swarm. */
export async function stackInstances(session: Session, docker: Docker): Promise<StoreContainer[]> {
  return instancesInState(session, docker, await loadCheckpoint(session));
}

/** The same for a command that has read the state, and `nodes` as in {@link swarmTasks}. */
export async function instancesInState(
  session: Session,
  docker: Docker,
  checkpoint: Checkpoint | undefined,
  nodes?: Parameters<typeof swarmTasks>[2],
): Promise<StoreContainer[]> {
  const [containers, tasks] = await Promise.all([
    containersInState(session, docker, checkpoint),
    swarmTasks(docker, checkpoint, nodes),
  ]);
  return [...containers, ...tasks];
}

/** Reads the state and returns the resources of the stack of this checkout. */
export async function loadOwnResources(session: Session): Promise<OwnResources> {
  return ownResourcesIn(session, await loadCheckpoint(session));
}

function ownResourcesIn(session: Session, checkpoint: Checkpoint | undefined): OwnResources {
  const interruptedRun = new InterruptedRun(session.state, session.stack.name);
  return ownResources(checkpoint, interruptedRun.resourceNames());
}

/**
 * Describes containers of another stack with the same name, for a stack that has none itself.
 *
 * @returns A sentence. Empty if Docker has none with its name.
 */
export async function foreignContainersNote(session: Session, docker: Docker): Promise<string> {
  const { name } = session.stack;
  const foreign = runnable(await listAllContainers(docker)).filter(({ stack }) => stack === name);
  if (foreign.length === 0) return "";
  return `Docker has ${foreign.length} containers of another stack ${name}, whose state this checkout doesn't have (another checkout, or a deleted state): ${foreign.map((container) => container.name).join(", ")}.`;
}
