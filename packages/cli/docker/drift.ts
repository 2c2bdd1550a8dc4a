import { Checkpoint, CONTAINER_TYPE, resourceName } from "../state/checkpoint";
import { Docker, withLabels } from "./docker";
import { LABEL, listContainers, StoreContainer } from "./containers";

/** Docker's resources of a stack. */
export interface DockerState {
  readonly containers: readonly StoreContainer[];
  readonly networks: readonly { readonly id: string; readonly name: string }[];
  readonly volumes: readonly { readonly name: string }[];
  /** IDs of all images on the host, including those of other stacks. */
  readonly images: ReadonlySet<string>;
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

export interface Orphan {
  readonly kind: "container" | "network" | "volume";
  readonly id: string;
  readonly name: string;
  /** The container serves requests and must not be removed before it is replaced. */
  readonly serving: boolean;
}

/** Reads the stack's resources from Docker. */
export async function readDockerState(
  docker: Docker,
  project: string,
  stack: string,
): Promise<DockerState> {
  const filters = withLabels({ [LABEL.project]: project, [LABEL.stack]: stack });
  const [containers, networks, volumes, images] = await Promise.all([
    listContainers(docker, project, stack),
    docker.list<{ Id: string; Name: string }>("/networks", { filters }),
    docker.get<{ Volumes: { Name: string }[] | null }>("/volumes", { filters }),
    docker.list<{ Id: string }>("/images/json"),
  ]);
  return {
    containers,
    networks: networks.map(({ Id, Name }) => ({ id: Id, name: Name })),
    volumes: (volumes?.Volumes ?? []).map(({ Name }) => ({ name: Name })),
    images: new Set(images.map(({ Id }) => Id)),
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
  const pending = checkpoint.pending.map(({ resource }) => resource);
  return {
    differences: [
      ...checkpoint.pending.map(
        ({ type, resource }) => `${type} ${resourceName(resource.urn)} was interrupted`,
      ),
      ...missing(checkpoint, actual),
      ...stopped(checkpoint, actual),
    ],
    clearPendingCreates: checkpoint.pending.some(({ type }) => type === "creating"),
    orphans: orphans(
      checkpoint,
      actual,
      new Set([...interrupted, ...pending.flatMap(({ inputs }) => nameOf(inputs))]),
    ),
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
  const known = idsOf(checkpoint, CONTAINER_TYPE);
  return actual.containers
    .filter(
      ({ id, role, state }) => known.has(id) && role !== "files" && !RUNNING_STATES.has(state),
    )
    .map(({ name, state }) => `${name} is ${state}`);
}

/**
 * Finds resources with the stack's labels that the state doesn't contain. The stack of the same name of another workspace has the
 * same labels, so an orphan must also have the name of an interrupted creation, or be connected to a network in the state.
 */
function orphans(
  checkpoint: Checkpoint,
  actual: DockerState,
  interrupted: ReadonlySet<string>,
): Orphan[] {
  const known = new Set(checkpoint.resources.flatMap(({ id }) => id ?? []));
  const ourNetworks = idsOf(checkpoint, NETWORK_TYPE);
  const containers = actual.containers
    .filter(({ id }) => !known.has(id))
    .filter(
      ({ name, networks }) => interrupted.has(name) || networks.some((id) => ourNetworks.has(id)),
    )
    .map(({ id, name, health }): Orphan => ({
      kind: "container",
      id,
      name,
      serving: health === "healthy",
    }));
  const networks = actual.networks
    .filter(({ id, name }) => !known.has(id) && interrupted.has(name))
    .map(({ id, name }): Orphan => ({ kind: "network", id, name, serving: false }));
  // A volume is recorded before a container mounts it, so an unrecorded volume is empty.
  const volumes = actual.volumes
    .filter(({ name }) => !known.has(name) && interrupted.has(name))
    .map(({ name }): Orphan => ({ kind: "volume", id: name, name, serving: false }));
  return [...containers, ...networks, ...volumes];
}

function idsOf(checkpoint: Checkpoint, type: string): ReadonlySet<string> {
  return new Set(
    checkpoint.resources.flatMap((resource) =>
      resource.type === type && resource.id !== undefined ? [resource.id] : [],
    ),
  );
}

function nameOf(inputs: Readonly<Record<string, unknown>> | undefined): string[] {
  const name = inputs?.["name"];
  return typeof name === "string" ? [name] : [];
}

const RUNNING_STATES: ReadonlySet<string> = new Set(["running", "restarting"]);

const NETWORK_TYPE = "docker:index/network:Network";
const VOLUME_TYPE = "docker:index/volume:Volume";
const IMAGE_TYPE = "docker:index/remoteImage:RemoteImage";
