import { Checkpoint } from "./checkpoint";
import { CONTAINER_TYPE, NETWORK_TYPE, VOLUME_TYPE } from "./resourceTypes";

/**
 * Identifies the Docker resources of a stack. The stack of the same name of another checkout has the same labels on the same
 * daemon, and a renamed stack has resources with its previous name, so labels can't tell whose a resource is.
 */
export interface OwnResources {
  /** IDs of the containers in the state. */
  readonly containers: ReadonlySet<string>;
  /** IDs of the networks in the state. Whatever is connected to one of them belongs to the stack, too. */
  readonly networks: ReadonlySet<string>;
  /** Names of the volumes in the state. */
  readonly volumes: ReadonlySet<string>;
  /** Names of resources that a running or an interrupted run may have created without recording them in the state. */
  readonly unrecorded: ReadonlySet<string>;
}

/**
 * Returns the resources of a stack.
 *
 * @param checkpoint The stack's state. Undefined if the stack was never brought up from this checkout.
 * @param interrupted Names of resources that interrupted runs may have created. Defaults to none.
 */
export function ownResources(
  checkpoint: Checkpoint | undefined,
  interrupted: readonly string[] = [],
): OwnResources {
  const ids = (type: string): ReadonlySet<string> =>
    new Set(
      (checkpoint?.resources ?? []).flatMap((resource) =>
        resource.type === type && resource.id !== undefined ? [resource.id] : [],
      ),
    );
  return {
    containers: ids(CONTAINER_TYPE),
    networks: ids(NETWORK_TYPE),
    volumes: ids(VOLUME_TYPE),
    unrecorded: new Set([...interrupted, ...pendingNames(checkpoint)]),
  };
}

/** Returns Docker's names of the resources on which an interrupted run was working. */
export function pendingNames(checkpoint: Checkpoint | undefined): string[] {
  return (checkpoint?.pending ?? []).flatMap(({ resource }) => {
    const name = resource.inputs?.["name"];
    return typeof name === "string" ? [name] : [];
  });
}

/**
 * Checks whether a container belongs to the stack. Container names end in random characters, so that names don't clash. A container that
 * writes the files of a volume is in no state and on no network, but it has the volume: an interrupted run may leave it behind.
 */
export function isOwnContainer(
  own: OwnResources,
  { id, name, networks, volumes }: OwnedBy,
): boolean {
  return (
    own.containers.has(id) ||
    own.unrecorded.has(name) ||
    networks.some((network) => own.networks.has(network)) ||
    volumes.some((volume) => own.volumes.has(volume))
  );
}

/** Properties by which a container is known to be a stack's. */
interface OwnedBy {
  readonly id: string;
  readonly name: string;
  /** IDs of its networks. */
  readonly networks: readonly string[];
  /** Names of the volumes that it mounts. */
  readonly volumes: readonly string[];
}
