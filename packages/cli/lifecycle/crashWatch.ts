import { mkdirSync, writeFileSync } from "node:fs";
import type { Readable } from "node:stream";
import { join, relative } from "node:path";
import type { Docker } from "@store/docker/docker";
import { messageOf } from "@store/docker/messageOf";
import { LastExit, readLastExit } from "../diagnostics/lastExit";
import { displayName, LABEL, StoreContainer } from "../docker/containers";
import { lastLines } from "../docker/logs";
import { stackContainers } from "../docker/stackContainers";
import type { Session } from "../project/session";
import type { Reporter } from "../terminal/terminal";
import { ContainerEvent, StartingContainers } from "./startingContainers";

/** A container that exited at each start and was removed therefore. */
export interface CrashedContainer extends LastExit {
  readonly container: StoreContainer;
  /** File with the container's log, relative to the project. */
  readonly logFile: string;
}

/** Crashed containers by ID. */
export type CrashedContainers = ReadonlyMap<string, CrashedContainer>;

/**
 * Ends the provider's wait for containers that exit again and again. The provider waits until its time limit for a container to become
 * healthy, whatever happens, unless the container no longer exists. So this removes the container and keeps its log.
 */
export class CrashWatch {
  private readonly abort = new AbortController();
  private readonly crashed = new Map<string, CrashedContainer>();
  private readonly starting = new StartingContainers();
  private watching: Promise<void> = Promise.resolve();
  private readonly problems: string[] = [];

  private constructor(
    private readonly session: Session,
    private readonly docker: Docker,
  ) {}

  /** Watches while the action runs. Returns the action's result and the removed containers. Reports its own problems afterwards. */
  static async during<T>(
    session: Session,
    docker: Docker,
    report: Reporter,
    action: () => Promise<T>,
  ): Promise<{ readonly result: T; readonly crashed: CrashedContainers }> {
    const watch = await CrashWatch.start(session, docker);
    try {
      const result = await action();
      return { result, crashed: watch.crashed };
    } finally {
      // Also after a failed action: the open connection would keep this process alive.
      await watch.stop();
      for (const problem of watch.problems) report.note(problem);
    }
  }

  private static async start(session: Session, docker: Docker): Promise<CrashWatch> {
    const watch = new CrashWatch(session, docker);
    const filters = {
      type: ["container"],
      event: ["create", "die", "destroy", "health_status"],
      label: [`${LABEL.stack}=${session.stack.name}`, `${LABEL.project}=${session.project.name}`],
    };
    const events = await docker.stream("/events", { filters }, watch.abort.signal);
    watch.watching = watch.follow(events).catch((error: unknown) => watch.reportEnd(error));
    return watch;
  }

  private async stop(): Promise<void> {
    this.abort.abort();
    await this.watching;
  }

  private async follow(events: Readable): Promise<void> {
    let incomplete = "";
    for await (const chunk of events.setEncoding("utf8")) {
      const lines = (incomplete + String(chunk)).split("\n");
      incomplete = lines.pop() ?? "";
      for (const event of lines.flatMap(parseEvent)) {
        for (const id of this.starting.handle(event)) await this.tryToGiveUp(id);
      }
    }
  }

  private reportEnd(error: unknown): void {
    if (this.abort.signal.aborted) return;
    this.problems.push(
      `watching for containers that exit at each start ended early (${messageOf(error)}); such a container fails the run only after its time limit`,
    );
  }

  /** A failure must not end the watch of the other containers. */
  private async tryToGiveUp(id: string): Promise<void> {
    try {
      await this.giveUp(id);
    } catch (error) {
      this.problems.push(
        `container ${id.slice(0, 12)} exits at each start, but could not be removed: ${messageOf(error)}`,
      );
    }
  }

  private async giveUp(id: string): Promise<void> {
    const { session, docker } = this;
    // Another checkout's stack of the same name has the same labels.
    const containers = await stackContainers(session, docker);
    const container = containers.find((candidate) => candidate.id === id);
    if (container === undefined) return;
    const lastExit = await readLastExit(docker, id);
    const logFile = await this.saveLog(container);
    this.crashed.set(id, { ...lastExit, container, logFile });
    const refusal = await docker.remove(`/containers/${id}`, { force: true });
    if (refusal !== undefined) throw new Error(refusal);
  }

  private async saveLog(container: StoreContainer): Promise<string> {
    const { project, stack, state } = this.session;
    const folder = join(state.folder, "logs");
    const file = join(folder, `${stack.name}-${displayName(container)}.log`);
    const lines = await lastLines(this.docker, container.id, 1_000);
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, lines.map(({ time, text }) => `${time} ${text}\n`).join(""));
    return relative(project.root, file);
  }
}

function parseEvent(line: string): ContainerEvent[] {
  if (line.trim() === "") return [];
  const { id, Action, Actor } = JSON.parse(line) as {
    id?: string;
    Action?: string;
    Actor?: { Attributes?: Readonly<Record<string, string>> };
  };
  // Containers that write files exit when they are done.
  if (id === undefined || Action === undefined) return [];
  return Actor?.Attributes?.[LABEL.role] === "files" ? [] : [{ id, action: Action }];
}
