import { Option } from "commander";
import { CliError, ExitCode } from "@store/docker/cliError";
import { publishesHere } from "@store/docker/endpoint";
import { connect } from "../../docker/connect";
import { condition, displayName, Inspection, uptime } from "../../docker/containers";
import type { StoreContainer, SwarmTask } from "../../docker/containers";
import { Docker } from "@store/docker/docker";
import {
  describeMachineFault,
  machineFaults,
  machineHint,
  swarmNodes,
} from "../../docker/swarmNodes";
import { foreignContainersNote, instancesInState } from "../../docker/stackContainers";
import {
  describeFault,
  ExpectedContainer,
  expectedContainers,
  faultsOf,
} from "../../docker/containerFaults";
import { askPublicAddress, describeAnswer, PublicAnswer } from "../../docker/gateway/publicAddress";
import {
  certificateOrder,
  describeOrder,
  orderingStack,
} from "../../docker/gateway/certificateOrder";
import { imagesIn } from "../../docker/images";
import {
  describeCertificate,
  needsRenewal,
  ServedCertificate,
  servedCertificate,
} from "../../docker/gateway/servedCertificate";
import { elsewhereNote, storeUrl } from "../../docker/gateway/url";
import { describePending, readBootState } from "../../host/bootState";
import { RemoteHost, sshArguments } from "../../host/remoteHost";
import { loadCheckpoint } from "../../engine/loadCheckpoint";
import { ordersCertificate, trustedRoot } from "../../project/project";
import { isLocal, openSession, StackOptions } from "../../project/session";
import type { Checkpoint } from "../../state/checkpoint";
import { colors, Column, duration, table } from "../../terminal/terminal";
import { defineCommand } from "../command";
import { parseStack, STACK_ARGUMENT, STACK_FLAGS, StackFlags } from "../stackFlags";
import { storeCommand } from "../../project/storeCommand";

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
  const { docker, address, remote } = await connect(session);
  const pendingReboot = remote && findPendingReboot(remote, stack);
  const checkpoint = await loadCheckpoint(session);
  const nodes = await swarmNodes(docker, checkpoint);
  const containers = await instancesInState(session, docker, checkpoint, nodes);
  const expected = expectedContainers(checkpoint);
  const images = imageNames(checkpoint);
  const url = storeUrl(containers, address);
  // A local stack is published at its daemon's 127.0.0.1, which may be another machine's.
  const isElsewhere = isLocal(session) && !publishesHere(docker.host);
  const isAsked = url !== undefined && !isElsewhere;
  const [answer, certificate, order, ...rows] = await Promise.all([
    isAsked ? askPublicAddress(url, address) : undefined,
    isAsked && url.startsWith("https:")
      ? servedCertificate(url, trustedRoot(session.project, session.stack), address)
      : undefined,
    certificateOrder(docker, containers),
    ...containers.map((container) =>
      readRow(
        docker,
        container,
        expected.find(({ id }) => id === container.id),
        images.get(container.imageId),
        memory,
      ),
    ),
  ]);
  rows.push(...missingRows(expected, containers));
  const elsewhere = isElsewhere && url !== undefined ? elsewhereNote(docker.host, url) : undefined;
  const isOrdered = ordersCertificate(session.project, session.stack);
  const isBad = certificate && needsRenewal(certificate, isOrdered);
  const orderNote = order && describeOrder(order, orderingStack(session, address));
  const reachability =
    url === undefined
      ? ""
      : renderAddress(url, answer, elsewhere) + renderCertificate(certificate, isBad, orderNote);
  process.stdout.write(
    json ? `${JSON.stringify(rows, null, 2)}\n` : render(stack, rows, memory, reachability),
  );
  const hasProblem = answer?.kind !== "ok" || isBad || orderNote !== undefined;
  if (json && answer && hasProblem) process.stderr.write(reachability);
  for (const fault of machineFaults(checkpoint, nodes))
    process.stderr.write(
      `${colors.red(`${describeMachineFault(fault)} ${machineHint(fault, stack, checkpoint)}`)}\n`,
    );
  const rebootNote = await pendingReboot;
  if (rebootNote !== undefined) process.stderr.write(`${rebootNote}\n`);
  const foreign = rows.length === 0 ? await foreignContainersNote(session, docker) : "";
  if (foreign) process.stderr.write(`${foreign}\n`);
  return ExitCode.Ok;
}

/** Limit for the host's answer in milliseconds: `ps` is for the containers. */
const REBOOT_CHECK_MS = 5_000;

/** Says which updates need a reboot of the host. Undefined if none does, and if the host doesn't answer in time. */
async function findPendingReboot(remote: RemoteHost, stack: string): Promise<string | undefined> {
  const target = { args: sshArguments(remote) };
  try {
    return describePending(await readBootState(target, { timeoutMs: REBOOT_CHECK_MS }), stack);
  } catch (error) {
    if (error instanceof CliError) return undefined;
    throw error;
  }
}

/**
 * Rows of containers that the state has and Docker doesn't. After a failed rollout, the state has the replacement, whose container is gone,
 * while the original serves on: no instance is missing.
 */
export function missingRows(
  expected: readonly ExpectedContainer[],
  actual: readonly Instance[],
): Row[] {
  const ids = new Set(actual.map(({ id }) => id));
  const isServed = ({ service, role, replica }: ExpectedContainer): boolean =>
    actual.some(
      (one) =>
        one.service === service &&
        one.role === role &&
        one.replica === replica &&
        one.state === "running" &&
        one.health !== "unhealthy",
    );
  return expected
    .filter((container) => !ids.has(container.id) && !isServed(container))
    .map((container) => ({
      ...{ service: displayName(container), replica: container.replica, state: "missing" },
      ...{ problems: [], up: "", restarts: 0, image: "", container: "" },
      ...{ memoryMiB: undefined, memoryLimitMiB: undefined },
    }));
}

type Instance = Pick<StoreContainer, "id" | "service" | "role" | "replica" | "state" | "health">;

function renderAddress(
  url: string,
  answer: PublicAnswer | undefined,
  elsewhere: string | undefined,
): string {
  if (elsewhere !== undefined) return `${elsewhere}\n`;
  return answer === undefined || answer.kind === "ok"
    ? `${colors.bold(url)}\n`
    : `${colors.bold(url)} ${colors.red(describeAnswer(answer))}\n`;
}

function renderCertificate(
  certificate: ServedCertificate | undefined,
  isBad = false,
  orderNote?: string,
): string {
  if (certificate === undefined) return "";
  const note = orderNote === undefined ? "" : `; ${orderNote}`;
  const text = `Certificate: ${describeCertificate(certificate)}${note}`;
  return `${isBad || orderNote !== undefined ? colors.red(text) : text}\n`;
}

function render(stack: string, rows: readonly Row[], memory: boolean, address: string): string {
  if (rows.length === 0) {
    return `Stack ${stack} has no containers. Bring it up: ${storeCommand("up", stack)}\n`;
  }
  const isSwarm = rows.some(({ node }) => node !== undefined);
  const columns = COLUMNS.filter(
    ({ title }) => (memory || title !== "MEMORY") && (isSwarm || title !== "MACHINE"),
  );
  const missing = rows.filter(({ state }) => state === "missing").map(({ service }) => service);
  const advice =
    missing.length > 0
      ? `\nMissing: ${missing.join(", ")}. Create again: ${storeCommand("up", stack)}\n`
      : "";
  return `${table(rows, columns)}\n${advice}${address && `\n${address}`}`;
}

export interface Row {
  readonly service: string;
  readonly replica: number | undefined;
  /** Host name of the machine, for an instance on a swarm. */
  readonly node?: string;
  /** Health, or Docker's state of a container without a health check. */
  readonly state: string;
  /** Differences from the state of the stack that Docker's own state doesn't show, such as a missing network. */
  readonly problems: readonly string[];
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
    value: ({ state, problems, restarts }) =>
      [state, ...problems, ...(restarts > 0 ? [`restarted ${restarts}×`] : [])].join(", "),
    paint: (text, { state, problems }) =>
      state === "healthy" && problems.length === 0
        ? colors.green(text)
        : state === "starting"
          ? colors.yellow(text)
          : colors.red(text),
  },
  { title: "MACHINE", value: ({ node }) => node ?? "" },
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

async function readRow(
  docker: Docker,
  container: StoreContainer,
  expected: ExpectedContainer | undefined,
  image = container.image,
  memory = false,
): Promise<Row> {
  if (container.task !== undefined) return taskRow(container, container.task);
  const [inspection, stats] = await Promise.all([
    docker.get<Inspection>(`/containers/${container.id}/json`),
    memory && container.state === "running"
      ? docker.get<Stats>(`/containers/${container.id}/stats`, { stream: false, "one-shot": true })
      : undefined,
  ]);
  return {
    service: displayName(container),
    replica: container.replica,
    state: condition(container),
    problems: expected && inspection ? hiddenProblems(expected, inspection) : [],
    up: uptime(inspection),
    restarts: inspection?.RestartCount ?? 0,
    memoryMiB: memoryInUse(stats),
    memoryLimitMiB: mebibytes(inspection?.HostConfig?.Memory),
    image,
    container: container.name,
  };
}

function taskRow(container: StoreContainer, task: SwarmTask): Row {
  const { status, health } = container;
  return {
    ...{ service: displayName(container), replica: container.replica, node: task.node },
    state: condition(container),
    problems: status === "" ? [] : [status],
    up: health === "healthy" ? duration((Date.now() - task.since.getTime()) / 1000) : "",
    restarts: 0,
    memoryMiB: undefined,
    memoryLimitMiB: mebibytes(task.memoryBytes),
    image: container.image,
    container: container.name,
  };
}

/** Faults other than those that {@link condition} shows. */
function hiddenProblems(expected: ExpectedContainer, inspection: Inspection): string[] {
  return faultsOf(expected, inspection)
    .filter(({ kind }) => !["paused", "restarting", "unhealthy"].includes(kind))
    .map((fault) => describeFault(fault).replace(/^is /, ""));
}

/** Returns the names of the images in the state by their IDs. Docker doesn't know the name of an image whose tag was removed or moved. */
export function imageNames(checkpoint: Checkpoint | undefined): ReadonlyMap<string, string> {
  return new Map(
    // An image that is pulled by its digest has it at the end of its name.
    imagesIn(checkpoint).map(({ id, name }) => [id, name.replace(/@sha256:[0-9a-f]{64}$/, "")]),
  );
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
