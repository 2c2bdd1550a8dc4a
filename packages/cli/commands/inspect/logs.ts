import { Argument, Option } from "commander";
import { CliError, ExitCode } from "@store/docker/cliError";
import { connect } from "../../docker/connect";
import {
  displayName,
  LABEL,
  listContainers,
  runnable,
  StoreContainer,
} from "../../docker/containers";
import { Docker, dockerUnreachable, withLabels } from "../../docker/docker";
import { LogLine, readLog } from "../../docker/logs";
import { selectContainers } from "../../docker/selectContainers";
import { openSession, Session, StackOptions } from "../../project/session";
import { colors } from "../../terminal/terminal";
import { defineCommand, wholeNumber } from "../command";
import { parseStack, STACK_FLAGS, StackFlags } from "../stackFlags";

interface LogsFlags extends StackFlags {
  readonly follow?: boolean;
  readonly tail: number;
}

interface LogsOptions extends StackOptions {
  /** Name of a service, NAME-database or gateway. Defaults to all containers. */
  readonly service?: string;
  readonly follow: boolean;
  /** Number of lines per container. */
  readonly tail: number;
}

export const logs = defineCommand<LogsFlags, LogsOptions>({
  name: "logs",
  summary: "print the services' logs",
  arguments: [new Argument("[service]", "a service, NAME-database or gateway (default: all)")],
  flags: [
    ...STACK_FLAGS,
    new Option("-f, --follow", "keep printing new lines, also of replacement containers"),
    new Option("-n, --tail <lines>", "number of lines per container")
      .argParser(wholeNumber)
      .default(100),
  ],
  examples: ["./store logs", "./store logs orders -f", "./store logs orders-database --tail 20"],
  parse: ({ args: [service], flags }) => ({
    ...parseStack(flags),
    service,
    follow: flags.follow === true,
    tail: flags.tail,
  }),
  run,
});

async function run(options: LogsOptions): Promise<ExitCode> {
  const session = openSession(options);
  const { docker } = await connect(session);
  const containers = await selectContainers(session, docker, options.service);
  const print = linePrinter(containers);
  if (options.follow) await followLogs({ session, docker, options, containers, print });
  else await printSorted(docker, options.tail, containers, print);
  return ExitCode.Ok;
}

type PrintLine = (container: StoreContainer, line: LogLine) => void;

/** Prints the last lines of all containers in the order of their time stamps. */
async function printSorted(
  docker: Docker,
  tail: number,
  containers: readonly StoreContainer[],
  print: PrintLine,
): Promise<void> {
  const lines = await Promise.all(
    containers.map(async (container) => {
      const read: { container: StoreContainer; line: LogLine }[] = [];
      for await (const line of readLog(docker, container.id, { tail })) {
        read.push({ container, line });
      }
      return read;
    }),
  );
  const sorted = lines.flat().sort((a, b) => (a.line.time < b.line.time ? -1 : 1));
  for (const { container, line } of sorted) print(container, line);
}

interface Following {
  readonly session: Session;
  readonly docker: Docker;
  readonly options: LogsOptions;
  readonly containers: readonly StoreContainer[];
  readonly print: PrintLine;
}

/**
 * Follows the logs until Ctrl-C. Includes containers that start later, for example as replacements.
 *
 * @throws CliError if the connection to Docker breaks.
 */
async function followLogs({
  session,
  docker,
  options,
  containers,
  print,
}: Following): Promise<void> {
  const abort = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => abort.abort());

  let failure: CliError | undefined;
  /** Runs a stream. The first failure ends all streams; failures after that are consequences of the abort. */
  const guard = async (stream: () => Promise<void>): Promise<void> => {
    try {
      await stream();
    } catch (error) {
      if (abort.signal.aborted) return;
      failure = error instanceof CliError ? error : connectionLost(docker, error);
      abort.abort();
    }
  };

  const followed = new Set<string>();
  const followContainer = (container: StoreContainer, start: LogStart): Promise<void> =>
    guard(async () => {
      if (followed.has(container.id)) return;
      followed.add(container.id);
      const read = { ...start, follow: true, signal: abort.signal };
      for await (const line of readLog(docker, container.id, read)) print(container, line);
      // The container has ended. It may start again.
      followed.delete(container.id);
    });
  const followNewContainers = async (): Promise<void> => {
    for await (const { id, since } of startedContainers(session, docker, abort.signal)) {
      const container = await findContainer(session, docker, id, options.service);
      if (container) void followContainer(container, { since });
    }
  };

  await Promise.all([
    ...containers.map((container) => followContainer(container, { tail: options.tail })),
    guard(followNewContainers),
  ]);
  if (failure !== undefined) throw failure;
}

/** Start of a log: its last lines, or a Unix time in seconds. */
type LogStart = { readonly tail: number } | { readonly since: number };

async function findContainer(
  { project, stack }: Session,
  docker: Docker,
  id: string,
  service: string | undefined,
): Promise<StoreContainer | undefined> {
  const all = runnable(await listContainers(docker, project.name, stack.name));
  return all.find(
    (container) =>
      container.id === id && (service === undefined || displayName(container) === service),
  );
}

/** Error for a log stream that breaks off, which happens when the daemon stops. */
function connectionLost(docker: Docker, error: unknown): CliError {
  return dockerUnreachable(docker.host, error instanceof Error ? error.message : "no answer");
}

/** Yields the stack's containers as they start, with the start's Unix time in seconds. */
async function* startedContainers(
  session: Session,
  docker: Docker,
  signal: AbortSignal,
): AsyncGenerator<{ readonly id: string; readonly since: number }> {
  const filters = {
    ...withLabels({
      [LABEL.project]: session.project.name,
      [LABEL.stack]: session.stack.name,
    }),
    type: ["container"],
    event: ["start"],
  };
  const events = await docker.stream("/events", { filters }, signal);
  let incomplete = "";
  for await (const chunk of events.setEncoding("utf8")) {
    const lines = (incomplete + String(chunk)).split("\n");
    incomplete = lines.pop() ?? "";
    for (const line of lines) {
      if (line.trim() === "") continue;
      const { id, time } = JSON.parse(line) as { id?: string; time?: number };
      // `since` skips the lines of earlier starts.
      if (id !== undefined && time !== undefined) yield { id, since: time };
    }
  }
}

/** Returns a printer that puts the container's label in front of each line, in one color per service. */
function linePrinter(containers: readonly StoreContainer[]): PrintLine {
  const hasReplicas = (name: string): boolean =>
    containers.filter((container) => displayName(container) === name).length > 1;
  const labelOf = (container: StoreContainer): string => {
    const name = displayName(container);
    return hasReplicas(name) ? `${name}-${container.replica ?? container.id.slice(0, 4)}` : name;
  };
  const width = Math.max(0, ...containers.map((container) => labelOf(container).length));
  const { cyan, yellow, green, magenta, blue, red } = colors;
  const paints = [cyan, yellow, green, magenta, blue, red];
  const services = [...new Set(containers.map(({ service }) => service))];
  return (container, line) => {
    if (!services.includes(container.service)) services.push(container.service);
    const paint = paints[services.indexOf(container.service) % paints.length] ?? cyan;
    process.stdout.write(`${paint(`${labelOf(container).padEnd(width)} |`)} ${line.text}\n`);
  };
}
