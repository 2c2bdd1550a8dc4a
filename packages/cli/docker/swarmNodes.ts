import { CliError } from "@store/docker/cliError";
import type { Docker } from "@store/docker/docker";
import { storeCommand } from "../project/storeCommand";
import { type Checkpoint, resourceName } from "../state/checkpoint";

/** A machine of a swarm, as its manager lists it. */
export interface SwarmNode {
  readonly id: string;
  /** Host name. */
  readonly name: string;
  /** Address for the other machines. */
  readonly address: string;
  readonly isManager: boolean;
  /** Swarm's state: ready, down, unknown or disconnected. */
  readonly state: string;
  /** Swarm's availability: active, pause or drain. */
  readonly availability: string;
  readonly dockerVersion: string;
  readonly memoryBytes: number;
  /** Labels and the rest of what `docker node update` changes, as Docker's API has it. */
  readonly spec: NodeSpec;
  /** Version of the spec, without which Docker refuses an update. */
  readonly version: number;
}

type NodeSpec = Readonly<Record<string, unknown>> & {
  readonly Availability?: string;
  readonly Role?: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
};

/** The used fields of an entry of GET /nodes. */
interface NodeSummary {
  readonly ID: string;
  readonly Version?: { readonly Index?: number };
  readonly Description?: {
    readonly Hostname?: string;
    readonly Engine?: { readonly EngineVersion?: string };
    readonly Resources?: { readonly MemoryBytes?: number };
  };
  readonly Spec?: NodeSpec;
  readonly Status?: { readonly State?: string; readonly Addr?: string };
  /** Only of a manager: its address with Swarm's port. */
  readonly ManagerStatus?: { readonly Addr?: string };
}

/** A worker in the state. */
export interface StackWorker {
  /** Name in the program: the address in `store:workers`. */
  readonly name: string;
  /** URN of the command with which it has joined. */
  readonly urn: string;
  /** ID that Swarm has given it. */
  readonly nodeId: string;
}

/** Start of the name of a worker's resource, as in components/swarm/swarm.ts. */
const JOIN = "swarm-join-";

/** The label of machines that run services: components/swarm/members.sh. */
const WORKER_LABEL = "dev.store.worker";

/** Returns the workers of a stack in the order of the state: none with one machine. */
export function workersIn(checkpoint: Checkpoint | undefined): StackWorker[] {
  return (checkpoint?.resources ?? [])
    .filter(({ urn, delete: isOriginal }) => !isOriginal && resourceName(urn).startsWith(JOIN))
    .map(({ urn, outputs }) => ({
      urn,
      name: resourceName(urn).slice(JOIN.length),
      nodeId: String(outputs?.["stdout"]).trim(),
    }));
}

/** Checks whether the stack has several machines. */
export function hasWorkers(checkpoint: Checkpoint | undefined): boolean {
  return workersIn(checkpoint).length > 0;
}

/**
 * Lists the machines of a stack's swarm.
 *
 * @returns none for a stack with one machine, which isn't asked; undefined if the host manages no swarm any more
 */
export async function swarmNodes(
  docker: Docker,
  checkpoint: Checkpoint | undefined,
): Promise<readonly SwarmNode[] | undefined> {
  if (workersIn(checkpoint).length === 0) return [];
  return (await listInSwarm<NodeSummary>(docker, "/nodes"))?.map((node) => ({
    id: node.ID,
    name: node.Description?.Hostname ?? node.ID,
    // A manager's own status may have 0.0.0.0.
    address: node.ManagerStatus?.Addr?.replace(/:\d+$/, "") ?? node.Status?.Addr ?? "",
    isManager: node.Spec?.Role === "manager",
    state: node.Status?.State ?? "unknown",
    availability: node.Spec?.Availability ?? "active",
    dockerVersion: node.Description?.Engine?.EngineVersion ?? "",
    memoryBytes: node.Description?.Resources?.MemoryBytes ?? 0,
    spec: node.Spec ?? {},
    version: node.Version?.Index ?? 0,
  }));
}

/** Lists objects of a swarm. Returns undefined if the host manages none. */
export async function listInSwarm<T>(
  docker: Docker,
  path: string,
  query?: Parameters<Docker["list"]>[1],
): Promise<T[] | undefined> {
  try {
    return await docker.list<T>(path, query);
  } catch (error) {
    if (error instanceof CliError && NO_MANAGER.test(error.summary)) return undefined;
    throw error;
  }
}

const NO_MANAGER = /not a swarm manager/;

/** A reason for which a machine runs no instances. */
export type MachineFault =
  | { readonly kind: "lost-swarm" }
  | { readonly kind: "left"; readonly worker: StackWorker }
  | { readonly kind: "down" | "inactive" | "unlabelled"; readonly node: SwarmNode };

/** Compares the machines of the state with those of the swarm. @param nodes Result of {@link swarmNodes}. */
export function machineFaults(
  checkpoint: Checkpoint | undefined,
  nodes: readonly SwarmNode[] | undefined,
): MachineFault[] {
  const workers = workersIn(checkpoint);
  if (nodes === undefined) return workers.length === 0 ? [] : [{ kind: "lost-swarm" }];
  const ids = new Set(workers.map(({ nodeId }) => nodeId));
  return [
    ...workers
      .filter(({ nodeId }) => !nodes.some(({ id }) => id === nodeId))
      .map((worker): MachineFault => ({ kind: "left", worker })),
    ...nodes.filter(({ id }) => ids.has(id)).flatMap(faultOf),
  ];
}

function faultOf(node: SwarmNode): MachineFault[] {
  if (node.state !== "ready") return [{ kind: "down", node }];
  if (node.availability !== "active") return [{ kind: "inactive", node }];
  return node.spec.Labels?.[WORKER_LABEL] === "true" ? [] : [{ kind: "unlabelled", node }];
}

/** Describes a fault as a sentence. */
export function describeMachineFault(fault: MachineFault): string {
  switch (fault.kind) {
    case "lost-swarm":
      return "The first machine doesn't manage the swarm any more, so that no instances run.";
    case "left":
      return `The machine ${fault.worker.name} has left the swarm.`;
    case "down":
      return `The machine ${fault.node.name} (${fault.node.address}) is ${fault.node.state}: the others run its instances.`;
    case "inactive":
      return `The machine ${fault.node.name} runs no new instances: somebody has set it to "${fault.node.availability}".`;
    case "unlabelled":
      return `The machine ${fault.node.name} runs no new instances: it has lost its label ${WORKER_LABEL}.`;
  }
}

/** Returns the way out of a fault. */
export function machineHint(
  { kind }: MachineFault,
  stack: string,
  checkpoint: Checkpoint | undefined,
): string {
  // Without the confirmation, a host is only looked at before the engine runs.
  const up = storeCommand("up --yes", stack);
  if (kind !== "down") return `Repair it: ${up}`;
  return createsMachines(checkpoint)
    ? `Start it, or let another one take its place: ${up}`
    : `Start it, or take it out of store:workers, then: ${up}`;
}

/** Checks whether the stack has created its machines itself, as VMs in Azure. Otherwise `store:workers` names them. */
export function createsMachines(checkpoint: Checkpoint | undefined): boolean {
  return (checkpoint?.resources ?? []).some(({ type }) => type.startsWith("azure-native:"));
}

/** Lets services run on a machine. Returns Docker's message if it refuses. */
export function activate(docker: Docker, node: SwarmNode): Promise<string | undefined> {
  return docker.post(`/nodes/${node.id}/update?version=${node.version}`, {
    ...node.spec,
    Availability: "active",
    Labels: { ...node.spec.Labels, [WORKER_LABEL]: "true" },
  });
}
