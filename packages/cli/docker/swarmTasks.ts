import { storeCommand } from "../project/storeCommand";
import { CliError } from "@store/docker/cliError";
import type { Docker } from "@store/docker/docker";
import { LABEL } from "../../../components/container/labelNames";
import { type Checkpoint, resourceName, SERVICE_TYPE } from "../state/checkpoint";
import type { StoreContainer, SwarmTask } from "./containers";

/** The used fields of an entry of GET /tasks. */
interface TaskSummary {
  readonly ID: string;
  readonly CreatedAt: string;
  readonly ServiceID: string;
  readonly Slot?: number;
  readonly NodeID?: string;
  readonly Spec: {
    readonly ContainerSpec?: {
      readonly Image?: string;
      readonly Labels?: Readonly<Record<string, string>> | null;
    };
    readonly Resources?: { readonly Limits?: { readonly MemoryBytes?: number } };
  };
  readonly Status: {
    readonly Timestamp: string;
    readonly State: string;
    readonly Err?: string;
    readonly ContainerStatus?: { readonly ContainerID?: string } | null;
  };
}

/** Returns the IDs of the stack's Swarm services: none with one machine. */
export function serviceIds(checkpoint: Checkpoint | undefined): string[] {
  return (checkpoint?.resources ?? [])
    .filter(({ type }) => type === SERVICE_TYPE)
    .flatMap(({ id }) => id ?? []);
}

/**
 * Lists the instances of the stack's Swarm services, on all machines: those that run and those that Swarm tries to run. Empty for a stack with
 * one machine.
 */
export async function swarmTasks(
  docker: Docker,
  checkpoint: Checkpoint | undefined,
): Promise<StoreContainer[]> {
  const services = serviceIds(checkpoint);
  if (services.length === 0) return [];
  const filters = { service: services, "desired-state": ["running"] };
  const [tasks, nodes] = await Promise.all([
    docker.list<TaskSummary>("/tasks", { filters }),
    docker.list<NodeSummary>("/nodes"),
  ]);
  const names = new Map(nodes.map(({ ID, Description }) => [ID, Description?.Hostname ?? ID]));
  return tasks.map((task) => toContainer(task, names)).sort(compareTasks);
}

/**
 * Returns the number of the machine on which an instance runs, by the node ID that each worker has printed when it joined.
 *
 * @param workers Addresses of the workers.
 * @throws CliError if it runs on a machine that isn't one of them
 */
export function machineOf(
  { nodeId, node }: SwarmTask,
  checkpoint: Checkpoint | undefined,
  workers: readonly string[],
): number {
  const join = checkpoint?.resources.find(
    ({ urn, outputs }) =>
      resourceName(urn).startsWith(JOIN) && String(outputs?.["stdout"]).trim() === nodeId,
  );
  const index =
    join === undefined ? -1 : workers.indexOf(resourceName(join.urn).slice(JOIN.length));
  if (index >= 0) return index + 1;
  throw new CliError(`The instance runs on ${node}, which isn't a machine of this stack.`, {
    hint: "Another run may have changed the machines. Run the command again.",
  });
}

/** Start of the name of a worker's resource, as in components/swarm/swarm.ts. */
const JOIN = "swarm-join-";

/**
 * Describes the machines of a swarm that run no instances: those that don't answer, and those that somebody has drained. Empty for a stack with
 * one machine.
 */
export async function swarmProblems(
  docker: Docker,
  checkpoint: Checkpoint | undefined,
  stack: string,
): Promise<string[]> {
  if (!checkpoint?.resources.some(({ urn }) => resourceName(urn).startsWith(JOIN))) return [];
  const nodes = await docker.list<NodeSummary>("/nodes");
  return nodes.flatMap(({ ID, Description, Spec, Status }) => {
    const name = Description?.Hostname ?? ID;
    const state = Status?.State ?? "unknown";
    if (state !== "ready")
      return `The machine ${name} (${Status?.Addr ?? ""}) is ${state}: the others run its instances. Start it, or take it out of store:workers, then: ${storeCommand("up", stack)}`;
    const availability = Spec?.Availability ?? "active";
    return availability === "active"
      ? []
      : `The machine ${name} runs no instances: somebody has set it to "${availability}". Let it run some: ${storeCommand(`ssh -- docker node update --availability active ${ID}`, stack)}`;
  });
}

interface NodeSummary {
  readonly ID: string;
  readonly Description?: { readonly Hostname?: string };
  readonly Spec?: { readonly Availability?: string };
  readonly Status?: { readonly State?: string; readonly Addr?: string };
}

function toContainer(task: TaskSummary, nodes: ReadonlyMap<string, string>): StoreContainer {
  const { ID: id, Slot, NodeID = "", Spec, Status } = task;
  const labels = Spec.ContainerSpec?.Labels ?? {};
  const service = labels[LABEL.service] ?? "";
  // Swarm counts an instance as running when it is healthy.
  const isRunning = Status.State === "running";
  return {
    ...{ id, service, role: "service" },
    stack: labels[LABEL.stack] ?? "",
    name: Slot === undefined ? service : `${service}.${Slot}`,
    replica: Slot === undefined ? undefined : Slot - 1,
    state: Status.State,
    status: Status.Err ?? "",
    health: isRunning ? "healthy" : undefined,
    created: new Date(task.CreatedAt),
    image: (Spec.ContainerSpec?.Image ?? "").replace(/@sha256:[0-9a-f]{64}$/, ""),
    ...{ imageId: "", networks: [], volumes: [], ports: [] },
    task: {
      nodeId: NodeID,
      node: nodes.get(NodeID) ?? "no machine",
      containerId: Status.ContainerStatus?.ContainerID ?? "",
      since: new Date(Status.Timestamp),
      memoryBytes: Spec.Resources?.Limits?.MemoryBytes,
    },
  };
}

function compareTasks(a: StoreContainer, b: StoreContainer): number {
  return a.service.localeCompare(b.service) || (a.replica ?? 0) - (b.replica ?? 0);
}
