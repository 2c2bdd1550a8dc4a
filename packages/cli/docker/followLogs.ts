import { setTimeout } from "node:timers/promises";
import { CliError } from "@store/docker/cliError";
import type { Session } from "../project/session";
import { ALL_STACKS, displayName, StoreContainer } from "./containers";
import { Docker } from "@store/docker/docker";
import { readDockerEvents } from "./dockerEvents";
import { LogLine, readLog } from "./logs";
import { stackContainers, stackInstances } from "./stackContainers";

export type PrintLine = (container: StoreContainer, line: LogLine) => void;

interface FollowOptions {
  readonly session: Session;
  readonly docker: Docker;
  /** Containers to start with. */
  readonly containers: readonly StoreContainer[];
  /** Name of the service whose new containers are followed. Defaults to all. */
  readonly service?: string;
  /** Number of old lines per container. */
  readonly tail: number;
  readonly print: PrintLine;
}

/**
 * Follows the logs until Ctrl-C. Includes containers that start later, for example as replacements.
 *
 * @throws CliError if the connection to Docker breaks.
 */
export async function followLogs({
  session,
  docker,
  containers,
  service,
  tail,
  print,
}: FollowOptions): Promise<void> {
  const abort = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => abort.abort());

  let failure: Promise<CliError> | undefined;
  /** Runs a stream. The first failure ends all streams; failures after that are consequences of the abort. */
  const guard = async (stream: () => Promise<void>): Promise<void> => {
    try {
      await stream();
    } catch (error) {
      if (abort.signal.aborted) return;
      // A log stream breaks off when the daemon stops.
      failure = error instanceof CliError ? Promise.resolve(error) : docker.unreachable(error);
      abort.abort();
    }
  };

  const followed = new Set<string>();
  const followContainer = (container: StoreContainer, start: LogStart): Promise<void> =>
    guard(async () => {
      if (followed.has(container.id)) return;
      followed.add(container.id);
      const read = { ...start, follow: true, signal: abort.signal };
      for await (const line of readLog(docker, container, read)) print(container, line);
      // The container has ended. It may start again.
      followed.delete(container.id);
    });
  const followNewContainers = async (): Promise<void> => {
    for await (const { id, since } of startedContainers(docker, abort.signal)) {
      const container = await findContainer(session, docker, id, service);
      if (container) void followContainer(container, { since });
    }
  };

  /** Docker's events have no containers of other machines. */
  const followNewTasks = async (): Promise<void> => {
    while (!abort.signal.aborted) {
      const since = Math.floor(Date.now() / 1000);
      await setTimeout(TASK_POLL_MS, undefined, { signal: abort.signal });
      for (const container of await stackInstances(session, docker)) {
        const isSelected = service === undefined || displayName(container) === service;
        if (container.task !== undefined && isSelected && !known.has(container.id)) {
          known.add(container.id);
          void followContainer(container, { since });
        }
      }
    }
  };
  const known = new Set(containers.map(({ id }) => id));

  await Promise.all([
    ...containers.map((container) => followContainer(container, { tail })),
    guard(followNewContainers),
    ...(containers.some(({ task }) => task !== undefined) ? [guard(followNewTasks)] : []),
  ]);
  if (failure !== undefined) throw await failure;
}

const TASK_POLL_MS = 2_000;

/** Start of a log: its last lines, or a Unix time in seconds. */
type LogStart = { readonly tail: number } | { readonly since: number };

async function findContainer(
  session: Session,
  docker: Docker,
  id: string,
  service: string | undefined,
): Promise<StoreContainer | undefined> {
  const all = await stackContainers(session, docker);
  return all.find(
    (container) =>
      container.id === id && (service === undefined || displayName(container) === service),
  );
}

/** Yields the containers of all stacks as they start, with the start's Unix time in seconds. */
async function* startedContainers(
  docker: Docker,
  signal: AbortSignal,
): AsyncGenerator<{ readonly id: string; readonly since: number }> {
  const filters = { ...ALL_STACKS, type: ["container"], event: ["start"] };
  const events = await docker.stream("/events", { filters }, signal);
  for await (const { id, time } of readDockerEvents(events)) {
    // `since` skips the lines of earlier starts.
    if (time !== undefined) yield { id, since: time };
  }
}
