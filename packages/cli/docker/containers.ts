import { LABEL, type Role } from "../../../components/container/labelNames";
import { isOwnContainer, OwnResources } from "../state/ownResources";
import { Docker } from "@store/docker/docker";
import { duration } from "../terminal/terminal";

/** A container of a stack, recognized by its labels. */
export interface StoreContainer {
  readonly id: string;
  readonly name: string;
  /** Label with the name of its stack when the container was created. Not unique: see OwnResources. */
  readonly stack: string;
  /** Name of its service; "gateway" for the gateway. */
  readonly service: string;
  readonly role: Role;
  /** Number of the replica, from 0. Undefined for databases and the gateway. */
  readonly replica: number | undefined;
  readonly state: string;
  /** Docker's description, for example "Up 5 minutes (healthy)". */
  readonly status: string;
  readonly health: "healthy" | "unhealthy" | "starting" | undefined;
  readonly created: Date;
  readonly image: string;
  readonly imageId: string;
  /** IDs of its networks. */
  readonly networks: readonly string[];
  /** Names of the volumes that it mounts. */
  readonly volumes: readonly string[];
  /** Published ports. */
  readonly ports: readonly { readonly host: string; readonly port: number }[];
  /** The store's address, of a gateway with HTTPS. Undefined for all other containers. */
  readonly url?: string | undefined;
  /** An instance of a Swarm service, of which the ID is the task's. Undefined for a container of the host itself. */
  readonly task?: SwarmTask | undefined;
}

/** Place of an instance on a swarm. */
export interface SwarmTask {
  readonly nodeId: string;
  /** Host name of the machine. */
  readonly node: string;
  /** ID of the container on that machine; empty before there is one. */
  readonly containerId: string;
  /** Time of the last change of its state. */
  readonly since: Date;
  readonly memoryBytes: number | undefined;
}

/** Selects the resources of all stacks of all checkouts on a daemon. */
export const ALL_STACKS = { label: [LABEL.project] };

/** Lists all containers of the stack, sorted by service, role and replica, newer ones first. */
export async function listContainers(docker: Docker, own: OwnResources): Promise<StoreContainer[]> {
  return (await listAllContainers(docker)).filter((container) => isOwnContainer(own, container));
}

/** Lists the containers of all stacks of all checkouts on the daemon, in the same order. */
export async function listAllContainers(docker: Docker): Promise<StoreContainer[]> {
  const query = { all: true, filters: ALL_STACKS };
  const found = await docker.list<ContainerSummary>("/containers/json", query);
  return found.map(parseContainer).sort(compareContainers);
}

/** Filters out `files` containers, which only hold files and are never started. */
export function runnable(containers: readonly StoreContainer[]): StoreContainer[] {
  return containers.filter((container) => container.role !== "files");
}

/** Name of a container in the CLI's arguments and output: "inventory", "inventory-database", "gateway". */
export function displayName(container: Pick<StoreContainer, "service" | "role">): string {
  return container.role === "database" ? `${container.service}-database` : container.service;
}

export function parseContainer(summary: ContainerSummary): StoreContainer {
  const labels = summary.Labels ?? {};
  const replica = labels[LABEL.replica];
  return {
    id: summary.Id,
    name: (summary.Names[0] ?? summary.Id.slice(0, 12)).replace(/^\//, ""),
    stack: labels[LABEL.stack] ?? "",
    service: labels[LABEL.service] ?? "",
    role: (labels[LABEL.role] ?? "service") as Role,
    replica: replica === undefined ? undefined : Number(replica),
    state: summary.State,
    status: summary.Status,
    health: healthOf(summary.Status),
    created: new Date(summary.Created * 1000),
    image: summary.Image,
    imageId: summary.ImageID,
    networks: Object.values(summary.NetworkSettings?.Networks ?? {}).map(
      ({ NetworkID }) => NetworkID,
    ),
    volumes: (summary.Mounts ?? []).flatMap(({ Name }) => Name ?? []),
    ports: (summary.Ports ?? []).flatMap(({ IP, PublicPort }) =>
      PublicPort === undefined ? [] : [{ host: IP ?? "0.0.0.0", port: PublicPort }],
    ),
    url: labels[LABEL.url],
  };
}

/** Condition of a container as `ps` shows it: its health, or its state if it has no health check. */
export function condition(container: Pick<StoreContainer, "state" | "status" | "health">): string {
  if (container.state !== "running") {
    const code = /^Exited \((\d+)\)/.exec(container.status)?.[1];
    return code === undefined ? container.state : `exited (${code})`;
  }
  return container.health ?? "running";
}

/** Time since the container was started, for example "2 h 10 min"; empty if it isn't running. */
export function uptime(inspection: Inspection | undefined, now = new Date()): string {
  const { Running, StartedAt } = inspection?.State ?? {};
  if (!Running || StartedAt === undefined) return "";
  return duration((now.getTime() - new Date(StartedAt).getTime()) / 1000);
}

function healthOf(status: string): StoreContainer["health"] {
  if (status.includes("(healthy)")) return "healthy";
  if (status.includes("(unhealthy)")) return "unhealthy";
  return status.includes("(health: starting)") ? "starting" : undefined;
}

const ROLES: readonly Role[] = ["gateway", "certificates", "service", "database", "files"];

function compareContainers(a: StoreContainer, b: StoreContainer): number {
  return (
    Number(a.role !== "gateway") - Number(b.role !== "gateway") ||
    a.service.localeCompare(b.service) ||
    ROLES.indexOf(a.role) - ROLES.indexOf(b.role) ||
    (a.replica ?? 0) - (b.replica ?? 0) ||
    b.created.getTime() - a.created.getTime()
  );
}

/** The used fields of an entry of GET /containers/json. */
export interface ContainerSummary {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly Image: string;
  readonly ImageID: string;
  readonly Created: number;
  readonly State: string;
  readonly Status: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly NetworkSettings?: {
    readonly Networks?: Readonly<Record<string, { readonly NetworkID: string }>>;
  };
  /** A bind mount has no name. */
  readonly Mounts?: readonly { readonly Name?: string }[];
  readonly Ports?: readonly { readonly IP?: string; readonly PublicPort?: number }[];
}

/** The used fields of GET /containers/{id}/json. */
export interface Inspection {
  readonly Id: string;
  readonly Name: string;
  readonly RestartCount?: number;
  readonly State: {
    readonly Status: string;
    readonly Running: boolean;
    readonly Paused?: boolean;
    readonly Restarting?: boolean;
    readonly OOMKilled?: boolean;
    readonly ExitCode: number;
    readonly Error?: string;
    readonly StartedAt?: string;
    readonly FinishedAt?: string;
    readonly Health?: {
      readonly Status: string;
      readonly Log?: readonly { readonly ExitCode: number; readonly Output: string }[] | null;
    };
  };
  readonly HostConfig?: {
    readonly Memory?: number;
    readonly RestartPolicy?: { readonly Name: string };
  };
  readonly NetworkSettings?: {
    readonly Networks?: Readonly<Record<string, { readonly Aliases?: readonly string[] | null }>>;
    readonly Ports?: Readonly<Record<string, readonly { readonly HostPort: string }[] | null>>;
  };
}
