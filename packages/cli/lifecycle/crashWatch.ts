import { mkdirSync, writeFileSync } from "node:fs";
import type { Readable } from "node:stream";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Docker } from "@store/docker/docker";
import { messageOf } from "@store/docker/messageOf";
import { LastExit, readLastExit } from "../diagnostics/lastExit";
import { LABEL } from "../../../components/container/labelNames";
import { displayName, StoreContainer } from "../docker/containers";
import { type DockerEvent, readDockerEvents } from "../docker/dockerEvents";
import { lastLines, type LogLine } from "../docker/logs";
import { stackContainers } from "../docker/stackContainers";
import { hasSeveralMachines, type Session } from "../project/session";
import type { Reporter } from "../terminal/terminal";
import { type CrashedInstance, watchServices } from "./serviceWatch";
import { ContainerEvent, StartingContainers } from "./startingContainers";

/** A container that exited at each start and was removed therefore, or an instance of such a Swarm service. */
export interface CrashedContainer extends LastExit {
  readonly container: StoreContainer;
  /** File with the container's log, relative to the project. */
  readonly logFile: string;
}

/** Crashed containers by ID; instances of Swarm services by the service's ID. */
export type CrashedContainers = ReadonlyMap<string, CrashedContainer>;

/** Docker on the stack's host. */
export interface WatchedHost {
  /** Undefined if the run creates the host. */
  readonly docker: Docker | undefined;
  /** Connects to the host that the run has created or replaced. Returns undefined while there is none that answers. */
  readonly connect: () => Promise<Docker | undefined>;
  /** Time between calls of `connect`. Defaults to 10,000. */
  readonly reconnectMs?: number;
}

/**
 * Ends the provider's wait for containers that exit again and again. The provider waits until its time limit for a container to become
 * healthy, whatever happens, unless the container no longer exists. So this removes the container and keeps its log.
 */
export class CrashWatch {
  private readonly abort = new AbortController();
  private readonly crashed = new Map<string, CrashedContainer>();
  private readonly starting = new StartingContainers();
  /** Last exit codes by container. When the container is inspected, Docker may have restarted it, and no longer has the code. */
  private readonly exitCodes = new Map<string, number>();
  private following: Promise<void> = Promise.resolve();
  private readonly problems: string[] = [];
  /** Why the connection to Docker has ended, until there is another one. */
  private interruption: string | undefined;

  private constructor(
    private readonly session: Session,
    private readonly host: WatchedHost,
  ) {}

  /** Watches while the action runs. Returns the action's result and the removed containers. Reports its own problems afterwards. */
  static async during<T>(
    session: Session,
    host: WatchedHost,
    report: Reporter,
    action: () => Promise<T>,
  ): Promise<{ readonly result: T; readonly crashed: CrashedContainers }> {
    const watch = new CrashWatch(session, host);
    // Before the action, so that no event is missed.
    if (host.docker) await watch.start(host.docker);
    void watch.reconnect();
    try {
      const result = await action();
      return { result, crashed: watch.crashed };
    } finally {
      // Also after a failed action: the open connection would keep this process alive.
      await watch.stop();
      for (const problem of watch.problems) report.note(problem);
      if (watch.interruption !== undefined) report.note(watch.interruption);
    }
  }

  private async start(docker: Docker): Promise<void> {
    const { stack, project } = this.session;
    const label = [`${LABEL.stack}=${stack.name}`, `${LABEL.project}=${project.name}`];
    const filters = {
      type: ["container"],
      event: ["create", "die", "destroy", "health_status"],
      label,
    };
    const connection = new AbortController();
    const signal = AbortSignal.any([this.abort.signal, connection.signal]);
    const events = await docker.stream("/events", { filters }, this.abort.signal);
    this.interruption = undefined;
    const services = hasSeveralMachines(this.session)
      ? await watchServices(
          docker,
          label,
          (one) => this.attempt(one.container.service, () => this.giveUpService(docker, one)),
          signal,
        )
      : undefined;
    const end = (error: unknown): void => this.recordEnd(error);
    const containers = this.follow(docker, events)
      .catch(end)
      .finally(() => connection.abort());
    this.following = Promise.all([containers, services?.done.catch(end)]).then(() => undefined);
  }

  /** Watches the host that the run creates, or the one that replaces the host before. */
  private async reconnect(): Promise<void> {
    const { signal } = this.abort;
    const { connect, reconnectMs = 10_000 } = this.host;
    for (;;) {
      await this.following;
      await sleep(reconnectMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      // The run itself reports a host that doesn't answer, or a state that can't be read.
      const docker = await connect().catch(() => undefined);
      if (docker) await this.start(docker).catch(() => undefined);
    }
  }

  private async stop(): Promise<void> {
    this.abort.abort();
    await this.following;
  }

  private async follow(docker: Docker, events: Readable): Promise<void> {
    for await (const event of readDockerEvents(events)) {
      // Containers that write files exit when they are done.
      if (event.attributes[LABEL.role] === "files") continue;
      const containerEvent = toContainerEvent(event);
      const { id, exitCode } = containerEvent;
      if (exitCode !== undefined) this.exitCodes.set(id, exitCode);
      for (const crashing of this.starting.handle(containerEvent))
        await this.attempt(`container ${crashing.slice(0, 12)}`, () =>
          this.giveUp(docker, crashing),
        );
    }
  }

  private recordEnd(error: unknown): void {
    if (this.abort.signal.aborted) return;
    this.interruption = `watching for containers that exit at each start ended early (${messageOf(error)}); such a container fails the run only after its time limit`;
  }

  /** A failure must not end the watch of the other containers. */
  private async attempt(name: string, giveUp: () => Promise<void>): Promise<void> {
    try {
      await giveUp();
    } catch (error) {
      this.problems.push(
        `${name} exits at each start, but could not be removed: ${messageOf(error)}`,
      );
    }
  }

  private async giveUp(docker: Docker, id: string): Promise<void> {
    const { session } = this;
    // Another checkout's stack of the same name has the same labels.
    const containers = await stackContainers(session, docker);
    const container = containers.find((candidate) => candidate.id === id);
    if (container === undefined) return;
    const lastExit = await readLastExit(docker, id, this.exitCodes.get(id));
    const { logFile } = await this.saveLog(docker, container);
    this.crashed.set(id, { ...lastExit, container, logFile });
    const refusal = await docker.remove(`/containers/${id}`, { force: true });
    if (refusal !== undefined) throw new Error(refusal);
  }

  private async giveUpService(docker: Docker, instance: CrashedInstance): Promise<void> {
    const { serviceId, container, exitCode, exits } = instance;
    const { logFile, lines } = await this.saveLog(docker, container);
    this.crashed.set(serviceId, {
      ...{ container, exitCode, logFile, log: lines.slice(-15).map(({ text }) => text) },
      // The container is on another machine, and Swarm may have removed it.
      inspection: {
        ...{ Id: container.id, Name: container.name, RestartCount: exits - 1 },
        State: { Status: "exited", Running: false, ExitCode: exitCode ?? 0 },
        HostConfig: { Memory: container.task?.memoryBytes },
      },
    });
    const refusal = await docker.remove(`/services/${serviceId}`);
    if (refusal !== undefined) throw new Error(refusal);
  }

  private async saveLog(
    docker: Docker,
    container: StoreContainer,
  ): Promise<{ readonly logFile: string; readonly lines: readonly LogLine[] }> {
    const { project, stack, state } = this.session;
    const folder = join(state.folder, "logs");
    const file = join(folder, `${stack.name}-${displayName(container)}.log`);
    // The manager waits for the machine of an instance, which may not answer.
    const signal = AbortSignal.timeout(LOG_TIMEOUT_MS);
    const lines = await lastLines(docker, container, 1_000, signal);
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, lines.map(({ time, text }) => `${time} ${text}\n`).join(""));
    return { logFile: relative(project.root, file), lines };
  }
}

/** Limit for Docker to send a log. */
const LOG_TIMEOUT_MS = 20_000;

function toContainerEvent({ id, action, attributes }: DockerEvent): ContainerEvent {
  const { exitCode } = attributes;
  return { id, action, exitCode: exitCode === undefined ? undefined : Number(exitCode) };
}
