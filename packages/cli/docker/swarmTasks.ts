import { CliError } from "@store/docker/cliError";
import type { Docker } from "@store/docker/docker";
import { LABEL } from "../../../components/container/labelNames";
import { type Checkpoint } from "../state/checkpoint";
import type { StoreContainer, SwarmTask } from "./containers";
import { listInSwarm, type SwarmNode, swarmNodes, workersIn } from "./swarmNodes";
import { SERVICE_TYPE } from "../state/resourceTypes";

/** The used fields of an entry of GET /tasks. */
export interface TaskSummary {
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
    readonly ContainerStatus?: { readonly ContainerID?: string; readonly ExitCode?: number } | null;
  };
}

/** Returns the IDs of the stack's Swarm services: none with one machine. */
export function serviceIds(checkpoint: Checkpoint | undefined): string[] {
  return (checkpoint?.resources ?? [])
    .filter(({ type }) => type === SERVICE_TYPE)
    .flatMap(({ id }) => id ?? []);
}

/** Returns the memory that the instances of the stack's Swarm services may use together, in bytes. */
export function memoryLimit(checkpoint: Checkpoint | undefined): number {
  return (checkpoint?.resources ?? [])
    .filter(({ type, delete: isOriginal }) => type === SERVICE_TYPE && !isOriginal)
    .map(({ inputs }) => inputs as ServiceInputs)
    .reduce((sum, { mode, taskSpec }) => {
      const each = taskSpec?.resources?.limits?.memoryBytes ?? 0;
      return sum + each * (mode?.replicated?.replicas ?? 1);
    }, 0);
}

/** Inputs of a Swarm service in the state that are used here, as the docker provider's schema names them. */
interface ServiceInputs {
  readonly mode?: { readonly replicated?: { readonly replicas?: number } };
  readonly taskSpec?: {
    readonly resources?: { readonly limits?: { readonly memoryBytes?: number } };
  };
}

/**
 * Lists the instances of the stack's Swarm services, on all machines: those that run and those that Swarm tries to run. Empty for a stack with
 * one machine.
 *
 * @param nodes Result of {@link swarmNodes}, for a command that has it already. Defaults to reading it.
 */
export async function swarmTasks(
  docker: Docker,
  checkpoint: Checkpoint | undefined,
  nodes?: readonly SwarmNode[],
): Promise<StoreContainer[]> {
  const services = serviceIds(checkpoint);
  if (services.length === 0) return [];
  const filters = { service: services, "desired-state": ["running"] };
  const [tasks = [], machines = []] = await Promise.all([
    listInSwarm<TaskSummary>(docker, "/tasks", { filters }),
    nodes ?? swarmNodes(docker, checkpoint),
  ]);
  const names = new Map(machines.map(({ id, name }) => [id, name]));
  return tasks.map((task) => taskContainer(task, names)).sort(compareTasks);
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
  const worker = workersIn(checkpoint).find((one) => one.nodeId === nodeId);
  const index = worker === undefined ? -1 : workers.indexOf(worker.name);
  if (index >= 0) return index + 1;
  throw new CliError(`The instance runs on ${node}, which isn't a machine of this stack.`, {
    hint: "Another run may have changed the machines. Run the command again.",
  });
}

/** @param nodes Names of the machines by their ID. */
export function taskContainer(
  task: TaskSummary,
  nodes: ReadonlyMap<string, string>,
): StoreContainer {
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
