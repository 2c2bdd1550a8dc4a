import { Checkpoint, CONTAINER_TYPE, resourceName } from "../state/checkpoint";
import { Docker, withLabels } from "./docker";
import { LABEL, listContainers, StoreContainer } from "./containers";

/** What of a stack Docker has. */
export interface DockerState {
  readonly containers: readonly StoreContainer[];
  readonly networks: readonly { readonly id: string; readonly name: string }[];
  readonly volumes: readonly { readonly name: string }[];
  /** IDs of all images on the host. */
  readonly images: ReadonlySet<string>;
}

/** What has to be put right before the engine can work from its record of the stack. */
export interface DriftPlan {
  /** Why the engine has to look at what is really there; empty if its record is right. */
  readonly differences: readonly string[];
  /** Creations that never ended in the record. The engine keeps them until it is told to forget them. */
  readonly clearPendingCreates: boolean;
  /** What such creations have left, and other things of ours that the record has lost. */
  readonly orphans: readonly Orphan[];
}

export interface Orphan {
  readonly kind: "container" | "network" | "volume";
  readonly id: string;
  readonly name: string;
  /** It answers requests: it may only go once there is something in its place. */
  readonly serving: boolean;
}

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
 * Compares the engine's record with what is there.
 *
 * @param unfinished Names of what failed runs may have made without its getting into the record.
 */
export function planDrift(
  checkpoint: Checkpoint,
  there: DockerState,
  unfinished: readonly string[] = [],
): DriftPlan {
  const pending = checkpoint.pending.map(({ resource }) => resource);
  return {
    differences: [
      ...checkpoint.pending.map(
        ({ type, resource }) => `${resourceName(resource.urn)} was interrupted while ${type}`,
      ),
      ...missing(checkpoint, there),
      ...stopped(checkpoint, there),
    ],
    clearPendingCreates: checkpoint.pending.some(({ type }) => type === "creating"),
    orphans: orphans(
      checkpoint,
      there,
      new Set([...unfinished, ...pending.flatMap(({ inputs }) => nameOf(inputs))]),
    ),
  };
}

export async function removeOrphan(docker: Docker, orphan: Orphan): Promise<string | undefined> {
  return docker.remove(
    `/${orphan.kind}s/${orphan.id}`,
    orphan.kind === "container" ? { force: true, v: false } : {},
  );
}

function missing(checkpoint: Checkpoint, there: DockerState): string[] {
  const ids: Readonly<Record<string, ReadonlySet<string>>> = {
    [CONTAINER_TYPE]: new Set(there.containers.map(({ id }) => id)),
    [NETWORK_TYPE]: new Set(there.networks.map(({ id }) => id)),
    [VOLUME_TYPE]: new Set(there.volumes.map(({ name }) => name)),
  };
  return checkpoint.resources.flatMap((resource) => {
    const found = ids[resource.type];
    if (resource.type === IMAGE_TYPE) {
      const id = resource.outputs?.["imageId"];
      return typeof id === "string" && !there.images.has(id)
        ? [`image ${resourceName(resource.urn)} is gone`]
        : [];
    }
    return found && resource.id !== undefined && !found.has(resource.id)
      ? [`${resourceName(resource.urn)} is gone`]
      : [];
  });
}

function stopped(checkpoint: Checkpoint, there: DockerState): string[] {
  const known = idsOf(checkpoint, CONTAINER_TYPE);
  return there.containers
    .filter(({ id, role, state }) => known.has(id) && role !== "files" && !RUNS.has(state))
    .map(({ name, state }) => `${name} is ${state}`);
}

/**
 * Things with the stack's labels that the record doesn't have. The labels are the same in another checkout, so that isn't
 * enough: it must also be named in a creation that never ended, or be on a network that is in our record.
 */
function orphans(
  checkpoint: Checkpoint,
  there: DockerState,
  unfinished: ReadonlySet<string>,
): Orphan[] {
  const known = new Set(checkpoint.resources.flatMap(({ id }) => id ?? []));
  const ourNetworks = idsOf(checkpoint, NETWORK_TYPE);
  const containers = there.containers
    .filter(({ id }) => !known.has(id))
    .filter(
      ({ name, networks }) => unfinished.has(name) || networks.some((id) => ourNetworks.has(id)),
    )
    .map(({ id, name, health }): Orphan => ({
      kind: "container",
      id,
      name,
      serving: health === "healthy",
    }));
  const networks = there.networks
    .filter(({ id, name }) => !known.has(id) && unfinished.has(name))
    .map(({ id, name }): Orphan => ({ kind: "network", id, name, serving: false }));
  // Whatever mounts a volume is made after the volume is recorded: one that isn't has never held anything.
  const volumes = there.volumes
    .filter(({ name }) => !known.has(name) && unfinished.has(name))
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

const RUNS: ReadonlySet<string> = new Set(["running", "restarting"]);

const NETWORK_TYPE = "docker:index/network:Network";
const VOLUME_TYPE = "docker:index/volume:Volume";
const IMAGE_TYPE = "docker:index/remoteImage:RemoteImage";
