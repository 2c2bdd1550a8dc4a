import { Docker, withLabels } from "./docker";
import { duration } from "../terminal/terminal";

/** A container that the program made for a stack, by its labels. */
export interface StoreContainer {
  readonly id: string;
  readonly name: string;
  /** The service that it belongs to; "gateway" for the gateway. */
  readonly service: string;
  readonly role: Role;
  readonly replica: number | undefined;
  readonly state: string;
  /** Docker's own words, such as "Up 5 minutes (healthy)". */
  readonly status: string;
  readonly health: "healthy" | "unhealthy" | "starting" | undefined;
  readonly created: Date;
  readonly image: string;
  readonly imageId: string;
  /** IDs of the networks that it is on. */
  readonly networks: readonly string[];
  /** Ports of the host on which it is reached. */
  readonly ports: readonly { readonly host: string; readonly port: number }[];
}

export type Role = "service" | "database" | "gateway" | "files";

export const LABEL = {
  project: "dev.store.project",
  stack: "dev.store.stack",
  service: "dev.store.service",
  role: "dev.store.role",
  replica: "dev.store.replica",
} as const;

/** Every container of the stack, by service, role and replica, the newest first among equals. */
export async function listContainers(
  docker: Docker,
  project: string,
  stack: string,
): Promise<StoreContainer[]> {
  const filters = withLabels({ [LABEL.project]: project, [LABEL.stack]: stack });
  const found = await docker.list<ContainerSummary>("/containers/json", { all: true, filters });
  return found.map(parseContainer).sort(byPlace);
}

/** Those that run something. A `files` container is made to take files and never started. */
export function runnable(containers: readonly StoreContainer[]): StoreContainer[] {
  return containers.filter((container) => container.role !== "files");
}

/** What a person calls it: "inventory", "inventory-database", "gateway". */
export function displayName(container: Pick<StoreContainer, "service" | "role">): string {
  return container.role === "database" ? `${container.service}-database` : container.service;
}

export function parseContainer(summary: ContainerSummary): StoreContainer {
  const labels = summary.Labels ?? {};
  const replica = labels[LABEL.replica];
  return {
    id: summary.Id,
    name: (summary.Names[0] ?? summary.Id.slice(0, 12)).replace(/^\//, ""),
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
    ports: (summary.Ports ?? []).flatMap(({ IP, PublicPort }) =>
      PublicPort === undefined ? [] : [{ host: IP ?? "0.0.0.0", port: PublicPort }],
    ),
  };
}

/** What `ps` says of it: its health where it has one, and otherwise how it stands. */
export function condition(container: Pick<StoreContainer, "state" | "status" | "health">): string {
  if (container.state !== "running") {
    const code = /^Exited \((\d+)\)/.exec(container.status)?.[1];
    return code === undefined ? container.state : `exited (${code})`;
  }
  return container.health ?? "running";
}

/** Since when it has been in this state, in Docker's words made short. */
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

const ROLES: readonly Role[] = ["gateway", "service", "database", "files"];

function byPlace(a: StoreContainer, b: StoreContainer): number {
  return (
    Number(a.role !== "gateway") - Number(b.role !== "gateway") ||
    a.service.localeCompare(b.service) ||
    ROLES.indexOf(a.role) - ROLES.indexOf(b.role) ||
    (a.replica ?? 0) - (b.replica ?? 0) ||
    b.created.getTime() - a.created.getTime()
  );
}

/** The fields that we use of an entry of GET /containers/json. */
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
  readonly Ports?: readonly { readonly IP?: string; readonly PublicPort?: number }[];
}

/** The fields that we use of GET /containers/{id}/json. */
export interface Inspection {
  readonly Id: string;
  readonly Name: string;
  readonly RestartCount?: number;
  readonly State: {
    readonly Status: string;
    readonly Running: boolean;
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
  readonly HostConfig?: { readonly Memory?: number };
}
