import { Option } from "commander";
import { ExitCode } from "@store/docker/cliError";
import { connect } from "../../docker/connect";
import { condition, displayName, Inspection, uptime } from "../../docker/containers";
import type { StoreContainer } from "../../docker/containers";
import { Docker } from "@store/docker/docker";
import { foreignContainersNote, stackContainers } from "../../docker/stackContainers";
import { storeUrl } from "../../docker/url";
import { storeCommand } from "../../project/project";
import { openSession, StackOptions } from "../../project/session";
import { colors, Column, table } from "../../terminal/terminal";
import { defineCommand } from "../command";
import { parseStack, STACK_ARGUMENT, STACK_FLAGS, StackFlags } from "../stackFlags";

interface PsFlags extends StackFlags {
  readonly json?: boolean;
  readonly memory?: boolean;
}

interface PsOptions extends StackOptions {
  readonly json: boolean;
  /** Read each container's memory usage, which takes Docker a second. */
  readonly memory: boolean;
}

export const ps = defineCommand<PsFlags, PsOptions>({
  name: "ps",
  summary: "list the containers with their health",
  arguments: [STACK_ARGUMENT],
  flags: [
    ...STACK_FLAGS,
    new Option("--memory", "add the memory usage; takes a second longer"),
    new Option("--json", "print JSON"),
  ],
  examples: ["./store ps", "./store ps --json"],
  parse: ({ args: [stack], flags }) => ({
    ...parseStack(flags, stack),
    json: flags.json === true,
    memory: flags.memory === true,
  }),
  run,
});

async function run({ json, memory, ...options }: PsOptions): Promise<ExitCode> {
  const session = openSession(options);
  const stack = session.stack.name;
  const { docker, address } = await connect(session);
  const containers = await stackContainers(session, docker);
  const rows = await Promise.all(containers.map((container) => readRow(docker, container, memory)));
  const url = storeUrl(containers, address);
  process.stdout.write(
    json ? `${JSON.stringify(rows, null, 2)}\n` : render(stack, rows, memory, url),
  );
  const foreign = rows.length === 0 ? await foreignContainersNote(session, docker) : "";
  if (foreign) process.stderr.write(`${foreign}\n`);
  return ExitCode.Ok;
}

function render(
  stack: string,
  rows: readonly Row[],
  memory: boolean,
  url: string | undefined,
): string {
  if (rows.length === 0) {
    return `Stack ${stack} has no containers. Bring it up: ${storeCommand("up", stack)}\n`;
  }
  const columns = COLUMNS.filter(({ title }) => memory || title !== "MEMORY");
  return `${table(rows, columns)}\n${url ? `\n${colors.bold(url)}\n` : ""}`;
}

interface Row {
  readonly service: string;
  readonly replica: number | undefined;
  /** Health, or Docker's state of a container without a health check. */
  readonly state: string;
  /** Time since the start, such as "5 min". */
  readonly up: string;
  readonly restarts: number;
  readonly memoryMiB: number | undefined;
  readonly memoryLimitMiB: number | undefined;
  readonly image: string;
  readonly container: string;
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

async function readRow(docker: Docker, container: StoreContainer, memory: boolean): Promise<Row> {
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

/**
 * Returns the image's name with its tag. An image pulled by digest has no tag; its version label holds the tag it was pushed under.
 */
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

/** Fields of `GET /images/{id}/json` that are used here. */
interface ImageInspection {
  readonly RepoTags?: readonly string[] | null;
  readonly RepoDigests?: readonly string[] | null;
  readonly Config?: { readonly Labels?: Readonly<Record<string, string>> | null };
}

/** Memory usage in MiB as `docker stats` counts it: without the page cache, which the kernel can reclaim. */
export function memoryInUse(stats: Stats | undefined): number | undefined {
  const { usage, stats: counters } = stats?.memory_stats ?? {};
  if (usage === undefined) return undefined;
  const cache = counters?.["total_inactive_file"] ?? counters?.["inactive_file"] ?? 0;
  return mebibytes(Math.max(0, usage - cache));
}

function mebibytes(bytes: number | undefined): number | undefined {
  return bytes === undefined || bytes === 0 ? undefined : Math.round(bytes / 1024 / 1024);
}

/** Fields of `GET /containers/{id}/stats` that are used here. */
interface Stats {
  readonly memory_stats?: {
    readonly usage?: number;
    readonly stats?: Readonly<Record<string, number>>;
  };
}
