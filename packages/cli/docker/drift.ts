import { Checkpoint, resourceName } from "../state/checkpoint";
import { isOwnContainer, ownResources } from "../state/ownResources";
import { Docker } from "@store/docker/docker";
import { LABEL } from "../../../components/container/labelNames";
import { ALL_STACKS, listAllContainers, StoreContainer } from "./containers";
import { hasWorkers, listInSwarm } from "./swarmNodes";
import {
  CONTAINER_TYPE,
  SERVICE_TYPE,
  NETWORK_TYPE,
  VOLUME_TYPE,
  IMAGE_TYPE,
} from "../state/resourceTypes";

/** Docker's resources of all stacks of all checkouts. */
export interface DockerState {
  readonly containers: readonly StoreContainer[];
  readonly networks: readonly NamedResource[];
  readonly volumes: readonly { readonly name: string }[];
  /** Swarm services. */
  readonly services: readonly NamedResource[];
  /** Names of all images on the host by their IDs, including those of other stacks. */
  readonly images: ReadonlyMap<string, readonly string[]>;
}

/** Differences between the state and Docker, and how to reconcile them before the engine runs. */
export interface DriftPlan {
  /** Descriptions of the differences, which require a refresh; empty if the state is correct. */
  readonly differences: readonly string[];
  /** The state contains pending creations. The engine keeps them until a refresh with --clear-pending-creates. */
  readonly clearPendingCreates: boolean;
  /** Resources of this workspace that are missing from the state, for example from pending creations. */
  readonly orphans: readonly Orphan[];
}

/** A {@link DriftPlan} after its first part was carried out. */
export interface RemainingDrift extends DriftPlan {
  /** URNs of containers to replace. */
  readonly replace: readonly string[];
  /** Something was repaired or removed without the engine. */
  readonly isRepaired: boolean;
}

interface NamedResource {
  readonly id: string;
  readonly name: string;
  /** Label with the name of its stack. */
  readonly stack: string;
}

export interface Orphan {
  readonly kind: "container" | "service" | "network" | "volume";
  readonly id: string;
  readonly name: string;
  /** The container serves requests and must not be removed before it is replaced. */
  readonly serving: boolean;
}

/**
 * Reads the resources of all stacks from Docker.
 *
 * @param checkpoint State of a stack; Swarm services are read only if it has workers, because a daemon that manages no swarm refuses.
 */
export async function readDockerState(
  docker: Docker,
  checkpoint?: Checkpoint,
): Promise<DockerState> {
  const filters = ALL_STACKS;
  const [services = [], containers, networks, volumes, images] = await Promise.all([
    hasWorkers(checkpoint) ? listInSwarm<ServiceSummary>(docker, "/services", { filters }) : [],
    listAllContainers(docker),
    docker.list<NetworkSummary>("/networks", { filters }),
    docker.get<{ Volumes: { Name: string }[] | null }>("/volumes", { filters }),
    docker.list<{ Id: string; RepoTags?: string[] | null }>("/images/json"),
  ]);
  return {
    containers,
    services: services.map(({ ID, Spec: { Name, Labels } }) => ({
      id: ID,
      name: Name,
      stack: Labels?.[LABEL.stack] ?? "",
    })),
    networks: networks.map(({ Id, Name, Labels }) => ({
      id: Id,
      name: Name,
      stack: Labels?.[LABEL.stack] ?? "",
    })),
    volumes: (volumes?.Volumes ?? []).map(({ Name }) => ({ name: Name })),
    images: new Map(images.map(({ Id, RepoTags }) => [Id, RepoTags ?? []])),
  };
}

/**
 * Compares the state with Docker.
 *
 * @param interrupted Docker's names of resources that interrupted runs may have created without recording them in the state.
 */
export function planDrift(
  checkpoint: Checkpoint,
  actual: DockerState,
  interrupted: readonly string[] = [],
): DriftPlan {
  return {
    differences: [
      ...checkpoint.pending.map(
        ({ type, resource }) => `${type} ${resourceName(resource.urn)} was interrupted`,
      ),
      ...missing(checkpoint, actual),
      ...stopped(checkpoint, actual),
    ],
    clearPendingCreates: checkpoint.pending.some(({ type }) => type === "creating"),
    orphans: orphans(checkpoint, actual, interrupted),
  };
}

/** Removes an orphan. Returns Docker's message if it refuses. */
export async function removeOrphan(docker: Docker, orphan: Orphan): Promise<string | undefined> {
  return docker.remove(
    `/${orphan.kind}s/${orphan.id}`,
    orphan.kind === "container" ? { force: true, v: false } : {},
  );
}

function missing(checkpoint: Checkpoint, actual: DockerState): string[] {
  const ids: Readonly<Record<string, ReadonlySet<string>>> = {
    [CONTAINER_TYPE]: new Set(actual.containers.map(({ id }) => id)),
    [NETWORK_TYPE]: new Set(actual.networks.map(({ id }) => id)),
    [VOLUME_TYPE]: new Set(actual.volumes.map(({ name }) => name)),
    [SERVICE_TYPE]: new Set(actual.services.map(({ id }) => id)),
  };
  return checkpoint.resources.flatMap((resource) => {
    const found = ids[resource.type];
    if (resource.type === IMAGE_TYPE) {
      const id = resource.outputs?.["imageId"];
      return typeof id === "string" && !actual.images.has(id)
        ? [`image ${resourceName(resource.urn)} is missing`]
        : [];
    }
    return found && resource.id !== undefined && !found.has(resource.id)
      ? [`${resourceName(resource.urn)} is missing`]
      : [];
  });
}

function stopped(checkpoint: Checkpoint, actual: DockerState): string[] {
  const { containers: known } = ownResources(checkpoint);
  return actual.containers
    .filter(
      ({ id, role, state }) => known.has(id) && role !== "files" && !RUNNING_STATES.has(state),
    )
    .map(({ name, state }) => `${name} is ${state}`);
}

/** Finds the stack's resources that the state doesn't contain. */
function orphans(
  checkpoint: Checkpoint,
  actual: DockerState,
  interrupted: readonly string[],
): Orphan[] {
  const own = ownResources(checkpoint, interrupted);
  const containers = actual.containers
    .filter((container) => !own.containers.has(container.id) && isOwnContainer(own, container))
    .map(({ id, name, role, health }): Orphan => ({
      kind: "container",
      id,
      name,
      // A database's replacement waits until no other container uses the data, and the gateway's needs the port.
      serving: health === "healthy" && role === "service",
    }));
  // The one that it should replace goes on, because it is deleted last. A network or secret in use couldn't be deleted.
  const recorded = new Set(checkpoint.resources.map(({ id }) => id));
  const services = actual.services
    .filter(({ id, name }) => !recorded.has(id) && own.unrecorded.has(name))
    .map(({ id, name }): Orphan => ({ kind: "service", id, name, serving: false }));
  const networks = actual.networks
    .filter(({ id, name }) => !own.networks.has(id) && own.unrecorded.has(name))
    .map(({ id, name }): Orphan => ({ kind: "network", id, name, serving: false }));
  // A volume is recorded before a container mounts it, so an unrecorded volume is empty.
  const volumes = actual.volumes
    .filter(({ name }) => !own.volumes.has(name) && own.unrecorded.has(name))
    .map(({ name }): Orphan => ({ kind: "volume", id: name, name, serving: false }));
  return [...containers, ...services, ...networks, ...volumes];
}

/** containerFaults.ts finds what is wrong with a container in these states. */
const RUNNING_STATES: ReadonlySet<string> = new Set(["running", "restarting", "paused"]);

interface ServiceSummary {
  readonly ID: string;
  readonly Spec: {
    readonly Name: string;
    readonly Labels?: Readonly<Record<string, string>> | null;
  };
}

interface NetworkSummary {
  readonly Id: string;
  readonly Name: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
}
