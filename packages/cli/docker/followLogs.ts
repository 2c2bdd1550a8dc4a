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
export async function followLogs(options: FollowOptions): Promise<void> {
  const follower = new LogFollower(options);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => follower.stop());
  await follower.run();
}

/** Follows the logs of a stack's containers until it is stopped. */
export class LogFollower {
  private readonly abort = new AbortController();
  /** IDs of the containers whose log is followed, and of all instances of Swarm services whose log was. */
  private readonly followed = new Set<string>();
  private failure: Promise<CliError> | undefined;

  constructor(private readonly options: FollowOptions) {}

  /** @throws CliError if the connection to Docker breaks. */
  async run(): Promise<void> {
    const { containers, tail } = this.options;
    await Promise.all([
      ...containers.map((container) => this.followContainer(container, { tail })),
      this.followStarts(),
      ...(containers.some(({ task }) => task !== undefined) ? [this.followTasks()] : []),
    ]);
    if (this.failure !== undefined) throw await this.failure;
  }

  stop(): void {
    this.abort.abort();
  }

  /** Prints a container's log until it ends, unless the log is being printed already. */
  private followContainer(container: StoreContainer, start: LogStart): Promise<void> {
    return this.guard(async () => {
      if (this.followed.has(container.id)) return;
      this.followed.add(container.id);
      const read = { ...start, follow: true, signal: this.abort.signal };
      for await (const line of readLog(this.options.docker, container, read))
        this.options.print(container, line);
      // A container may start again; an instance of a Swarm service doesn't, but may still be listed.
      if (container.task === undefined) this.followed.delete(container.id);
    });
  }

  /** Follows the containers of the daemon that start. */
  private followStarts(): Promise<void> {
    const { session, docker } = this.options;
    return this.guard(async () => {
      for await (const { id, since } of startedContainers(docker, this.abort.signal)) {
        const all = await stackContainers(session, docker);
        const started = all.find((container) => container.id === id);
        if (started && this.isSelected(started)) void this.followContainer(started, { since });
      }
    });
  }

  /** Follows new instances of Swarm services, because Docker's events have no containers of other machines. */
  private followTasks(): Promise<void> {
    const { session, docker } = this.options;
    const { signal } = this.abort;
    return this.guard(async () => {
      while (!signal.aborted) {
        const since = Math.floor(Date.now() / 1000);
        await setTimeout(TASK_POLL_MS, undefined, { signal });
        for (const container of await stackInstances(session, docker)) {
          if (container.task !== undefined && this.isSelected(container))
            void this.followContainer(container, { since });
        }
      }
    });
  }

  private isSelected(container: StoreContainer): boolean {
    const { service } = this.options;
    return service === undefined || displayName(container) === service;
  }

  /** Runs a stream. The first failure ends all streams; failures after that are consequences of the abort. */
  private async guard(stream: () => Promise<void>): Promise<void> {
    try {
      await stream();
    } catch (error) {
      if (this.abort.signal.aborted) return;
      // A log stream breaks off when the daemon stops.
      this.failure =
        error instanceof CliError ? Promise.resolve(error) : this.options.docker.unreachable(error);
      this.stop();
    }
  }
}

const TASK_POLL_MS = 2_000;

/** Start of a log: its last lines, or a Unix time in seconds. */
type LogStart = { readonly tail: number } | { readonly since: number };

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
