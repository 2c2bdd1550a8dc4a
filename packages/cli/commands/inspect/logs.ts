import {
  displayName,
  LABEL,
  listContainers,
  runnable,
  StoreContainer,
} from "../../docker/containers";
import { Docker, dockerUnreachable, withLabels } from "../../docker/docker";
import { CliError, ExitCode } from "@store/docker/cliError";
import { LogLine, readLog } from "../../docker/logs";
import { connect } from "../../docker/connect";
import { openSession, Session, StackOptions } from "../../project/session";
import { selectContainers } from "../../docker/selectContainers";
import { colors } from "../../terminal/terminal";

export interface LogsOptions extends StackOptions {
  readonly service?: string;
  readonly follow?: boolean;
  /** Lines of each container. */
  readonly tail: number;
}

export async function logs(options: LogsOptions): Promise<ExitCode> {
  const session = openSession(options);
  const { docker } = await connect(session);
  const targets = await selectContainers(session, docker, options.service);
  const write = writer(targets);
  if (options.follow) await follow(session, docker, options, targets, write);
  else await printInOrder(docker, options, targets, write);
  return ExitCode.Ok;
}

/** From where a log is read: its last lines, or what came after a moment (in seconds). */
type LogStart = { readonly tail: number } | { readonly since: number };

type Write = (container: StoreContainer, line: LogLine) => void;

/** The lines of all containers as if they were one log. */
async function printInOrder(
  docker: Docker,
  options: LogsOptions,
  targets: readonly StoreContainer[],
  write: Write,
): Promise<void> {
  const lines = await Promise.all(
    targets.map(async (container) => {
      const read: { container: StoreContainer; line: LogLine }[] = [];
      for await (const line of readLog(docker, container.id, { tail: options.tail })) {
        read.push({ container, line });
      }
      return read;
    }),
  );
  const sorted = lines.flat().sort((a, b) => (a.line.time < b.line.time ? -1 : 1));
  for (const { container, line } of sorted) write(container, line);
}

/** Until Ctrl-C. Containers that start later, because they replace one or a stack comes up, are followed too. */
async function follow(
  session: Session,
  docker: Docker,
  options: LogsOptions,
  targets: readonly StoreContainer[],
  write: Write,
): Promise<void> {
  const end = new AbortController();
  const stop = (): void => end.abort();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stop);

  let problem: CliError | undefined;
  /** However one of the streams ends, and whichever it is, all the others end too. */
  const untilAborted = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (end.signal.aborted) return;
      problem = error instanceof CliError ? error : lost(docker, error);
      end.abort();
    }
  };

  const followed = new Set<string>();
  const start = (container: StoreContainer, from: LogStart): Promise<void> =>
    untilAborted(async () => {
      if (followed.has(container.id)) return;
      followed.add(container.id);
      const read = { ...from, follow: true, signal: end.signal };
      for await (const line of readLog(docker, container.id, read)) write(container, line);
      // It has ended, and may be started again.
      followed.delete(container.id);
    });

  const { project, stack } = session;
  const streams = targets.map((container) => start(container, { tail: options.tail }));
  streams.push(
    untilAborted(async () => {
      for await (const { id, since } of startedContainers(session, docker, end.signal)) {
        const all = runnable(await listContainers(docker, project.name, stack.name));
        const wanted = all.find(
          (container) =>
            container.id === id &&
            (options.service === undefined || displayName(container) === options.service),
        );
        if (wanted) void start(wanted, { since });
      }
    }),
  );
  await Promise.all(streams);
  if (problem !== undefined) throw problem;
}

/** A stream that breaks off is the daemon's going away. */
function lost(docker: Docker, error: unknown): CliError {
  return dockerUnreachable(docker.host, error instanceof Error ? error.message : "no answer");
}

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
  let rest = "";
  for await (const chunk of events.setEncoding("utf8")) {
    const lines = (rest + String(chunk)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line.trim() === "") continue;
      const { id, time } = JSON.parse(line) as { id?: string; time?: number };
      // What it logged before is of an earlier start.
      if (id !== undefined && time !== undefined) yield { id, since: time };
    }
  }
}

/** Writes each line behind its service's name, in the service's colour. */
function writer(targets: readonly StoreContainer[]): Write {
  const several = (name: string): boolean =>
    targets.filter((target) => displayName(target) === name).length > 1;
  const labelOf = (container: StoreContainer): string => {
    const name = displayName(container);
    return several(name) ? `${name}-${container.replica ?? container.id.slice(0, 4)}` : name;
  };
  const width = Math.max(0, ...targets.map((target) => labelOf(target).length));
  const paints = [
    colors.cyan,
    colors.yellow,
    colors.green,
    colors.magenta,
    colors.blue,
    colors.red,
  ];
  const services = [...new Set(targets.map(({ service }) => service))];
  return (container, line) => {
    const index = services.indexOf(container.service);
    if (index < 0) services.push(container.service);
    const paint = paints[(index < 0 ? services.length - 1 : index) % paints.length] ?? colors.cyan;
    process.stdout.write(`${paint(`${labelOf(container).padEnd(width)} |`)} ${line.text}\n`);
  };
}
