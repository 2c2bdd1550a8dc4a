import { setTimeout as sleep } from "node:timers/promises";
import type { Docker } from "@store/docker/docker";
import { listInSwarm } from "../docker/swarmNodes";
import { type TaskSummary, taskContainer } from "../docker/swarmTasks";
import type { StoreContainer } from "../docker/containers";
import { StartingContainers } from "./startingContainers";

/** Time between two looks at the instances, in milliseconds. */
const POLL_MS = 2_000;

/** An instance of a Swarm service that has exited at each start. */
export interface CrashedInstance {
  readonly serviceId: string;
  /** The last one that has exited. */
  readonly container: StoreContainer;
  /** Undefined if Docker doesn't say it. */
  readonly exitCode: number | undefined;
  /** Number of exits of all instances of the service. */
  readonly exits: number;
}

/**
 * Watches the Swarm services that a run creates. Docker sends no events about instances on other machines, so this asks for them.
 *
 * @param labels Filter for the stack's services.
 * @param onCrash Called with a service whose instances exit at each start.
 * @returns when it knows the services from before the run. `done` rejects when Docker doesn't answer any more.
 */
export async function watchServices(
  docker: Docker,
  labels: readonly string[],
  onCrash: (instance: CrashedInstance) => Promise<void>,
  signal: AbortSignal,
): Promise<{ readonly done: Promise<void> }> {
  const list = async (): Promise<string[]> => {
    const services = await listInSwarm<{ readonly ID: string }>(docker, "/services", {
      filters: { label: labels },
    });
    return (services ?? []).map(({ ID }) => ID);
  };
  const before = new Set(await list());
  const watch = async (): Promise<void> => {
    const starting = new StartingInstances();
    while (!signal.aborted) {
      const created = (await list()).filter((id) => !before.has(id));
      const tasks = created.length === 0 ? [] : await tasksOf(docker, created);
      for (const crashed of starting.handle(tasks)) await onCrash(crashed);
      await sleep(POLL_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  };
  return { done: watch() };
}

/** Returns all instances of services that Swarm still knows, the older ones first. */
async function tasksOf(docker: Docker, services: readonly string[]): Promise<TaskSummary[]> {
  const tasks = await listInSwarm<TaskSummary>(docker, "/tasks", {
    filters: { service: services },
  });
  return (tasks ?? []).sort((a, b) => a.CreatedAt.localeCompare(b.CreatedAt));
}

/** Decides, like {@link StartingContainers}, which services will not become healthy, by the states of their instances. */
export class StartingInstances {
  private readonly starting = new StartingContainers();
  /** Last known state by instance; each start of an instance is another one. */
  private readonly states = new Map<string, string>();
  private readonly places = new Set<string>();

  /** @param tasks All instances that exist, the older ones first. */
  handle(tasks: readonly TaskSummary[]): CrashedInstance[] {
    // First, because a service is given up only if no other instance is starting.
    for (const place of tasks.map(placeOf)) {
      if (!this.places.has(place)) this.starting.handle({ id: place, action: "create" });
      this.places.add(place);
    }
    const services = new Set<string>();
    for (const task of tasks) {
      const action = this.newAction(task);
      const places = action ? this.starting.handle({ id: placeOf(task), action }) : [];
      places.forEach((place) => services.add(serviceOf(place)));
    }
    return [...services].flatMap((id) => lastExit(id, tasks) ?? []);
  }

  /** Returns what an event about a container on this machine would say, once. */
  private newAction(task: TaskSummary): string | undefined {
    const { ID, Status } = task;
    if (this.states.get(ID) === Status.State) return undefined;
    this.states.set(ID, Status.State);
    if (hasExited(task)) return "die";
    // Swarm counts an instance as running when it is healthy.
    return Status.State === "running" ? "health_status: healthy" : undefined;
  }
}

/** An instance that Swarm couldn't start, or that it has stopped, hasn't exited. */
function hasExited({ Status: { State } }: TaskSummary): boolean {
  return State === "failed" || State === "complete";
}

/** Identifies an instance over all of its starts. */
function placeOf({ ServiceID, Slot = 0 }: TaskSummary): string {
  return `${ServiceID} ${Slot}`;
}

function serviceOf(place: string): string {
  return place.replace(/ \d+$/, "");
}

function lastExit(serviceId: string, tasks: readonly TaskSummary[]): CrashedInstance | undefined {
  const exited = tasks.filter((task) => task.ServiceID === serviceId && hasExited(task));
  const last = exited.at(-1);
  if (last === undefined) return undefined;
  const exitCode = last.Status.ContainerStatus?.ExitCode;
  return {
    serviceId,
    container: taskContainer(last, new Map()),
    exitCode,
    exits: exited.length,
  };
}
