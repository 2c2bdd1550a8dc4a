import { displayName, runnable } from "../docker/containers";
import type { DockerState } from "../docker/drift";
import { Checkpoint, Resource, resourceName } from "../state/checkpoint";
import {
  CONTAINER_TYPE,
  VOLUME_TYPE,
  VM_TYPE,
  DISK_TYPE,
  RECORD_TYPE,
} from "../state/resourceTypes";

/** Effects of `./store down` on a stack. */
export interface DownPlan {
  /** Names of the VMs that are deleted. */
  readonly vms: readonly string[];
  /** Number of deleted Azure resources, VMs included. */
  readonly azureResources: number;
  /** Names whose DNS records are deleted (store:dnsZone). */
  readonly dnsNames: readonly string[];
  /** Services whose containers are deleted. Empty if Docker could not be asked. */
  readonly services: readonly string[];
  /** Number of deleted containers according to the state. */
  readonly containers: number;
  /** Number of other deleted Docker resources: networks, files and images. */
  readonly otherResources: number;
  /** Number of machines that leave a swarm. */
  readonly swarmMachines: number;
  /** The state has operations that never finished. */
  readonly hasPendingOperations: boolean;
  /** Volumes and disks that are deleted with their data. */
  readonly deletedVolumes: readonly string[];
  readonly deletedDisks: readonly string[];
  /** Volumes and disks that keep their data. */
  readonly keptData: readonly string[];
  /** URNs of resources that stay because the data stays, although they aren't protected. */
  readonly keptUrns: readonly string[];
}

/**
 * Types of resources that stay together with the data disk: its lock and its last copy. They can't be protected, because the engine
 * then refuses to replace the copy, and to remove the lock when its key is removed.
 */
const WITH_DATA: ReadonlySet<string> = new Set([
  "azure-native:authorization:ManagementLockByScope",
  "azure-native:compute:Snapshot",
]);

/** Returns true for a resource that `./store down` keeps unless `--volumes` is given. */
export function staysWithData({ type, protect }: Resource): boolean {
  return protect === true || WITH_DATA.has(type);
}

/**
 * Plans the removal of a stack.
 *
 * @param checkpoint The stack's state. Undefined if the stack was never brought up.
 * @param dockerState Docker's resources of all stacks. Undefined for a stack on another host.
 * @param volumes Delete the data, too.
 */
export function planDown(
  checkpoint: Checkpoint | undefined,
  dockerState: DockerState | undefined,
  volumes: boolean,
): DownPlan {
  const all = checkpoint?.resources ?? [];
  const docker = all.filter(({ type }) => type.startsWith("docker:"));
  const azure = all.filter(({ type, id }) => type.startsWith("azure-native:") && id);
  const unprotected = docker.filter(({ protect }) => protect !== true);
  const containers = unprotected.filter(({ type }) => type === CONTAINER_TYPE).length;
  const protectedNames = (type: string): string[] =>
    namesOf(
      all.filter(({ id, protect }) => protect === true && id),
      type,
    );
  const [dataVolumes, disks] = [protectedNames(VOLUME_TYPE), protectedNames(DISK_TYPE)];
  return {
    vms: namesOf(azure, VM_TYPE),
    azureResources: azure.length,
    dnsNames: azure
      .filter(({ type }) => type === RECORD_TYPE)
      .map(({ urn }) => resourceName(urn).replace(/^host-/, "")),
    services: servicesOf(docker, dockerState),
    containers,
    otherResources: unprotected.length - containers,
    swarmMachines: all.filter(({ urn }) => /^swarm-(init|join-.*)$/.test(resourceName(urn))).length,
    hasPendingOperations: (checkpoint?.pending.length ?? 0) > 0,
    deletedVolumes: volumes ? dataVolumes : [],
    deletedDisks: volumes ? disks : [],
    keptData: volumes ? [] : [...dataVolumes, ...disks],
    keptUrns: volumes ? [] : all.filter(({ type }) => WITH_DATA.has(type)).map(({ urn }) => urn),
  };
}

/** Lists the deletions, one line each. Empty if nothing is deleted. */
export function describeDeletions(plan: DownPlan): string[] {
  const { vms, azureResources, services, containers, otherResources } = plan;
  const data = [
    ...(plan.deletedVolumes.length > 0 ? [`volumes ${plan.deletedVolumes.join(", ")}`] : []),
    ...(plan.deletedDisks.length > 0 ? [`disks ${plan.deletedDisks.join(", ")}`] : []),
  ];
  return [
    ...vms.map((vm) => `VM ${vm} with its disk and everything on it`),
    ...(azureResources > 0
      ? [
          `${azureResources} Azure resources in total, among them the network and the public address`,
        ]
      : []),
    ...(plan.dnsNames.length > 0 ? [`DNS records of ${plan.dnsNames.join(", ")}`] : []),
    ...(services.length > 0
      ? [`containers of ${services.join(", ")}`]
      : containers > 0
        ? [`${containers} containers`]
        : []),
    ...(plan.swarmMachines > 0 ? [`the swarm of ${plan.swarmMachines} machines`] : []),
    ...(plan.hasPendingOperations ? ["orphans of an interrupted run"] : []),
    ...(otherResources > 0 ? ["networks, files and images of the containers"] : []),
    ...(data.length > 0 ? [`ALL DATA: ${data.join(", ")}, and the databases' passwords`] : []),
  ];
}

/** Returns the names of the stack's own containers. */
function servicesOf(
  resources: readonly Resource[],
  dockerState: DockerState | undefined,
): string[] {
  const ids = new Set(resources.flatMap(({ id }) => id ?? []));
  const own = runnable(dockerState?.containers ?? []).filter(({ id }) => ids.has(id));
  return [...new Set(own.map(displayName))];
}

function namesOf(resources: readonly Resource[], type: string): string[] {
  return resources.filter((resource) => resource.type === type).map(nameInProvider);
}

/** Azure IDs are paths that end with the name. */
function nameInProvider({ id }: Resource): string {
  return id?.split("/").at(-1) ?? "";
}
