import { Checkpoint, Resource, resourceName } from "../state/checkpoint";
import { LABEL, NAMELESS, type Role } from "../../../components/container/labelNames";
import { Inspection } from "./containers";
import { Docker } from "@store/docker/docker";
import { CONTAINER_TYPE, NETWORK_TYPE } from "../state/resourceTypes";

/** A container as the state says that it should be. */
export interface ExpectedContainer {
  readonly urn: string;
  readonly id: string;
  readonly service: string;
  readonly role: Role;
  /** Number of the replica, from 0. Undefined for databases and the gateway. */
  readonly replica: number | undefined;
  readonly networks: readonly ExpectedNetwork[];
  /** Names of networks of the stack that the gateway would join only if an interrupted `up` had ended. Defaults to none. */
  readonly unusedNetworks?: readonly string[];
  /** Published ports of the host. */
  readonly ports: readonly number[];
  readonly memoryMiB: number | undefined;
  /** Name of Docker's restart policy. */
  readonly restart: string | undefined;
}

interface ExpectedNetwork {
  readonly name: string;
  /** DNS names of the container on this network. */
  readonly aliases: readonly string[];
}

/** A difference between a container and the state that Docker's list of containers doesn't show. */
export type Fault =
  | { readonly kind: "paused" | "restarting" | "unhealthy" }
  | {
      readonly kind: "disconnected";
      readonly network: ExpectedNetwork;
      /** The container is connected, but without its DNS names. */
      readonly isConnected: boolean;
    }
  | { readonly kind: "connected"; readonly network: Pick<ExpectedNetwork, "name"> }
  | { readonly kind: "unpublished"; readonly port: number }
  | { readonly kind: "changed"; readonly property: string };

/** Returns the running containers that the state contains. */
export function expectedContainers(checkpoint: Checkpoint | undefined): ExpectedContainer[] {
  const resources = (checkpoint?.resources ?? []).filter(({ id, delete: old }) => id && !old);
  const possible = resources.filter(({ type }) => type === NETWORK_TYPE).flatMap(networkOfGateway);
  const joined = joinedNetworks(resources, possible);
  return resources
    .filter(({ type }) => type === CONTAINER_TYPE)
    .map(expectedContainer)
    .filter(({ role }) => role !== "files")
    .map((one) =>
      one.role === "gateway"
        ? {
            ...one,
            networks: [...one.networks, ...joined],
            unusedNetworks: possible
              .filter((each) => !joined.includes(each))
              .map(({ name }) => name),
          }
        : one,
    );
}

/**
 * Returns the networks that the gateway's last command has joined. A failed `up` may have created others: the gateway must not hold those,
 * because the next `up` may delete them.
 */
function joinedNetworks(
  resources: readonly Resource[],
  possible: readonly ExpectedNetwork[],
): ExpectedNetwork[] {
  const command = resources.find(({ urn }) => /:Command::gateway-reload$/.test(urn));
  if (command === undefined) return [];
  const script = command.inputs?.["create"];
  // The state has it encrypted if a secret has become a part of it.
  if (typeof script !== "string") return [...possible];
  return possible.filter(({ name }) => script.includes(`${name}=`));
}

/** Returns a network that the gateway joins while it runs, with its DNS name there. These aren't in the state's container. */
function networkOfGateway({ inputs = {} }: Resource): ExpectedNetwork[] {
  const { name = "", labels = [] } = inputs as Inputs;
  const label = labels.find((one) => one.label === LABEL.gateway)?.value;
  if (label === undefined) return [];
  return [{ name, aliases: label === NAMELESS ? [] : [label] }];
}

function expectedContainer({ urn, id = "", inputs = {} }: Resource): ExpectedContainer {
  const { labels = [], networksAdvanced = [], ports = [], memory, restart } = inputs as Inputs;
  const values = new Map(labels.map(({ label, value }) => [label, value]));
  const replica = values.get(LABEL.replica);
  return {
    urn,
    id,
    service: values.get(LABEL.service) ?? resourceName(urn),
    role: (values.get(LABEL.role) ?? "service") as Role,
    replica: replica === undefined ? undefined : Number(replica),
    networks: networksAdvanced.map(({ name, aliases = [] }) => ({ name, aliases })),
    ports: ports.flatMap(({ external }) => external ?? []),
    memoryMiB: memory,
    restart,
  };
}

/** Inputs of a container or network in the state that are used here, as the docker provider's schema names them. */
interface Inputs {
  readonly name?: string;
  readonly labels?: readonly { readonly label: string; readonly value: string }[];
  readonly networksAdvanced?: readonly {
    readonly name: string;
    readonly aliases?: readonly string[];
  }[];
  readonly ports?: readonly { readonly external?: number }[];
  readonly memory?: number;
  readonly restart?: string;
}

/**
 * Compares a container with the state. A stopped container has no faults: Docker's list of containers shows that it is stopped, and it is
 * replaced.
 */
export function faultsOf(expected: ExpectedContainer, actual: Inspection): Fault[] {
  const { State: state, HostConfig: host } = actual;
  if (!state.Running) return [];
  const networks = actual.NetworkSettings?.Networks ?? {};
  const disconnected = expected.networks.flatMap((network): Fault[] => {
    const found = networks[network.name];
    const names = new Set(found?.Aliases ?? []);
    if (found && network.aliases.every((alias) => names.has(alias))) return [];
    return [{ kind: "disconnected", network, isConnected: found !== undefined }];
  });
  const surplus = (expected.unusedNetworks ?? []).filter((name) => networks[name] !== undefined);
  return [
    ...(state.Paused ? [{ kind: "paused" } as const] : []),
    ...disconnected,
    ...surplus.map((name): Fault => ({ kind: "connected", network: { name } })),
    ...(disconnected.length > 0 || state.Paused ? [] : unpublishedPorts(expected, actual)),
    ...healthFaults(actual),
    ...(differs(expected.memoryMiB, host?.Memory && host.Memory / 1024 ** 2)
      ? [{ kind: "changed", property: "memory limit" } as const]
      : []),
    ...(differs(expected.restart, host?.RestartPolicy?.Name)
      ? [{ kind: "changed", property: "restart policy" } as const]
      : []),
  ];
}

/** A restarting container publishes no ports until it runs again. */
function unpublishedPorts({ ports }: ExpectedContainer, actual: Inspection): Fault[] {
  if (actual.State.Restarting) return [];
  const published = new Set(
    Object.values(actual.NetworkSettings?.Ports ?? {}).flatMap((bindings) =>
      (bindings ?? []).map(({ HostPort }) => Number(HostPort)),
    ),
  );
  return ports
    .filter((port) => !published.has(port))
    .map((port) => ({ kind: "unpublished", port }));
}

/** Docker's restarts after which a container that isn't healthy is taken for one that exits again and again. */
const MOST_RESTARTS = 3;

/** A container that exits some time after its start is running when it is inspected, and its health check is starting again. */
function healthFaults({ State: state, RestartCount: restarts = 0 }: Inspection): Fault[] {
  const { Restarting, Paused, Health } = state;
  const isLooping = restarts >= MOST_RESTARTS && Health?.Status === "starting" && !Paused;
  if (Restarting || isLooping) return [{ kind: "restarting" }];
  // The health check of a paused container fails, too.
  return Health?.Status === "unhealthy" && !Paused ? [{ kind: "unhealthy" }] : [];
}

function differs<T>(expected: T | undefined, actual: T | undefined): boolean {
  return expected !== undefined && actual !== undefined && expected !== actual;
}

/** Describes a fault, as the predicate of a sentence whose subject is the container. */
export function describeFault(fault: Fault): string {
  switch (fault.kind) {
    case "paused":
      return "is paused";
    case "restarting":
      return "exits and is restarted again and again";
    case "unhealthy":
      return "is unhealthy";
    case "disconnected":
      return fault.isConnected
        ? `lacks its DNS name ${fault.network.aliases.join(", ")} on network ${networkOf(fault)}`
        : `is disconnected from network ${networkOf(fault)}`;
    case "connected":
      return `is still connected to network ${networkOf(fault)}`;
    case "unpublished":
      return `doesn't publish port ${fault.port}`;
    case "changed":
      return `has another ${fault.property}`;
  }
}

/** Name of the network in the program: Docker's name without the random characters at its end. */
function networkOf({ network }: Extract<Fault, { network: unknown }>): string {
  return network.name.replace(/-[0-9a-f]{7}$/, "");
}

/**
 * Repairs a fault by Docker's API, if that is possible without replacing the container.
 *
 * @returns False if it isn't possible, or if Docker refuses.
 */
export async function repairFault(
  docker: Docker,
  { id }: ExpectedContainer,
  fault: Fault,
): Promise<boolean> {
  switch (fault.kind) {
    case "paused":
      return (await docker.post(`/containers/${id}/unpause`)) === undefined;
    case "disconnected": {
      const network = `/networks/${encodeURIComponent(fault.network.name)}`;
      if (fault.isConnected) await docker.post(`${network}/disconnect`, { Container: id });
      const EndpointConfig = { Aliases: fault.network.aliases };
      return (
        (await docker.post(`${network}/connect`, { Container: id, EndpointConfig })) === undefined
      );
    }
    case "connected": {
      const network = `/networks/${encodeURIComponent(fault.network.name)}`;
      return (await docker.post(`${network}/disconnect`, { Container: id })) === undefined;
    }
    case "unpublished":
      return (await docker.post(`/containers/${id}/restart?t=${STOP_SECONDS}`)) === undefined;
    default:
      return false;
  }
}

/** Seconds for a gateway to stop that no client reaches: only requests of the store's own services can be left. */
export const STOP_SECONDS = 5;

/** A container of the state with its faults. */
export interface FaultyContainer {
  readonly expected: ExpectedContainer;
  readonly name: string;
  readonly faults: readonly Fault[];
}

/** Inspects the containers of the state and returns those with faults. Missing containers are left out. */
export async function findFaults(
  docker: Docker,
  checkpoint: Checkpoint | undefined,
): Promise<FaultyContainer[]> {
  const found = await Promise.all(
    expectedContainers(checkpoint).map(async (expected) => {
      const actual = await docker.get<Inspection>(`/containers/${expected.id}/json`);
      const faults = actual ? faultsOf(expected, actual) : [];
      return { expected, name: actual?.Name.replace(/^\//, "") ?? "", faults };
    }),
  );
  return found.filter(({ faults }) => faults.length > 0);
}
