import {
  condition,
  displayName,
  Inspection,
  listContainers,
  runnable,
  uptime,
} from "../../docker/containers";
import type { StoreContainer } from "../../docker/containers";
import { Docker } from "../../docker/docker";
import { ExitCode } from "@store/docker/cliError";
import { storeCommand } from "../../project/project";
import { connect } from "../../docker/connect";
import { openSession, StackOptions } from "../../project/session";
import { colors, Column, table } from "../../terminal/terminal";
import { storeUrl } from "../../docker/url";

export interface PsOptions extends StackOptions {
  readonly json?: boolean;
  /** Ask Docker for each container's memory, which takes it a second. */
  readonly memory?: boolean;
}

export async function ps(options: PsOptions): Promise<ExitCode> {
  const session = openSession(options);
  const { docker, address } = await connect(session);
  const containers = runnable(
    await listContainers(docker, session.project.name, session.stack.name),
  );
  const rows = await Promise.all(
    containers.map((container) => rowOf(docker, container, options.memory === true)),
  );
  if (options.json) {
    process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
    return ExitCode.Ok;
  }
  if (rows.length === 0) {
    process.stdout.write(
      `Nothing of the stack ${session.stack.name} runs. Bring it up: ${storeCommand("up", session.stack.name)}\n`,
    );
    return ExitCode.Ok;
  }
  process.stdout.write(`${table(rows, columns(options.memory === true))}\n`);
  const url = storeUrl(containers, address);
  if (url) process.stdout.write(`\n${colors.bold(url)}\n`);
  return ExitCode.Ok;
}

interface Row {
  readonly service: string;
  readonly replica: number | undefined;
  readonly state: string;
  readonly up: string;
  readonly restarts: number;
  readonly memoryMiB: number | undefined;
  readonly memoryLimitMiB: number | undefined;
  readonly image: string;
  readonly container: string;
}

function columns(memory: boolean): readonly Column<Row>[] {
  return COLUMNS.filter((column) => memory || column.title !== "MEMORY");
}

const COLUMNS: readonly Column<Row>[] = [
  { title: "SERVICE", value: ({ service }) => service },
  { title: "#", value: ({ replica }) => replica?.toString() ?? "", align: "right" },
  {
    title: "STATE",
    value: ({ state, restarts }) => (restarts > 0 ? `${state}, restarted ${restarts}×` : state),
    paint: (text, { state }) =>
      state === "healthy"
        ? colors.green(text)
        : state === "starting"
          ? colors.yellow(text)
          : colors.red(text),
  },
  { title: "UP", value: ({ up }) => up },
  {
    title: "MEMORY",
    value: ({ memoryMiB, memoryLimitMiB }) =>
      memoryMiB === undefined
        ? ""
        : `${memoryMiB}${memoryLimitMiB ? `/${memoryLimitMiB}` : ""} MiB`,
    align: "right",
  },
  { title: "IMAGE", value: ({ image }) => image },
];

async function rowOf(docker: Docker, container: StoreContainer, memory: boolean): Promise<Row> {
  const [inspection, stats, image] = await Promise.all([
    docker.get<Inspection>(`/containers/${container.id}/json`),
    memory && container.state === "running"
      ? docker.get<Stats>(`/containers/${container.id}/stats`, { stream: false, "one-shot": true })
      : undefined,
    docker.get<ImageInspection>(`/images/${container.imageId}/json`),
  ]);
  return {
    service: displayName(container),
    replica: container.replica,
    state: condition(container),
    up: uptime(inspection),
    restarts: inspection?.RestartCount ?? 0,
    memoryMiB: memoryInUse(stats),
    memoryLimitMiB: mebibytes(inspection?.HostConfig?.Memory),
    image: imageName(image) ?? container.image,
    container: container.name,
  };
}

/** Under which people know it. One that was pulled by digest has no tag, but a label with the one that it was pushed under. */
export function imageName(image: ImageInspection | undefined): string | undefined {
  const [tagged] = image?.RepoTags ?? [];
  if (tagged !== undefined) return tagged;
  const [repository, digest] = image?.RepoDigests?.[0]?.split("@") ?? [];
  if (repository === undefined || digest === undefined) return undefined;
  const version = image?.Config?.Labels?.["org.opencontainers.image.version"];
  return version === undefined
    ? `${repository}@${digest.slice(0, "sha256:".length + 12)}`
    : `${repository}:${version}`;
}

/** The fields that we use of GET /images/{id}/json. */
interface ImageInspection {
  readonly RepoTags?: readonly string[] | null;
  readonly RepoDigests?: readonly string[] | null;
  readonly Config?: { readonly Labels?: Readonly<Record<string, string>> | null };
}

/** As `docker stats` counts it: without the page cache that the kernel would give back at once. */
export function memoryInUse(stats: Stats | undefined): number | undefined {
  const { usage, stats: parts } = stats?.memory_stats ?? {};
  if (usage === undefined) return undefined;
  const cache = parts?.["total_inactive_file"] ?? parts?.["inactive_file"] ?? 0;
  return mebibytes(Math.max(0, usage - cache));
}

function mebibytes(bytes: number | undefined): number | undefined {
  return bytes === undefined || bytes === 0 ? undefined : Math.round(bytes / 1024 / 1024);
}

/** The fields that we use of GET /containers/{id}/stats. */
interface Stats {
  readonly memory_stats?: {
    readonly usage?: number;
    readonly stats?: Readonly<Record<string, number>>;
  };
}
