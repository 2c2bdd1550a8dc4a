import type { Agent, IncomingMessage } from "node:http";
import { Answer, Daemon, reasonOf } from "@store/docker/daemon";
import { messageOf } from "@store/docker/messageOf";
import { CliError } from "@store/docker/cliError";

/** @param host Address of the daemon. */
export function dockerUnreachable(host: string, cause: string): CliError {
  return new CliError(`Docker doesn't answer at ${host} (${cause}).`, {
    hint: "Start it (systemctl start docker, or Docker Desktop), then see ./store doctor.",
  });
}

/** The few calls of Docker's API that the command needs, with failures that a person can read. */
export class Docker {
  private readonly daemon: Daemon;

  /**
   * @param agent Makes the connections, where the address is none that can be connected to.
   * @throws CliError for an address that can't be spoken with.
   */
  constructor(
    readonly host: string,
    agent?: Agent,
  ) {
    try {
      this.daemon = new Daemon(host, agent);
    } catch (error) {
      throw new CliError(
        `The command can't talk to a Docker daemon at ${host}: ${messageOf(error)}.`,
        {
          hint: "It speaks to unix:// and tcp:// addresses: set DOCKER_HOST or store:dockerHost.",
        },
      );
    }
  }

  /** Ends the connections that are kept for the next call. */
  close(): void {
    this.daemon.close();
  }

  /** @throws CliError */
  async ping(): Promise<void> {
    await this.reach(this.daemon.get("/_ping"));
  }

  /** @returns undefined where there is no such thing. */
  async get<T>(path: string, query: Query = {}): Promise<T | undefined> {
    const answer = await this.reach(this.daemon.get(withQuery(path, query)));
    if (answer.status === 404) return undefined;
    if (answer.status >= 300) throw refused(path, answer);
    return answer.body as T;
  }

  async list<T>(path: string, query: Query = {}): Promise<T[]> {
    return (await this.get<T[]>(path, query)) ?? [];
  }

  /** @returns the daemon's reason where it refuses; what is gone already is gone. */
  async remove(path: string, query: Query = {}): Promise<string | undefined> {
    const answer = await this.reach(this.daemon.delete(withQuery(path, query), REMOVAL_LIMIT_MS));
    return answer.status < 300 || answer.status === 404 ? undefined : reasonOf(answer);
  }

  /** For answers that go on: logs and events. */
  async stream(path: string, query: Query, signal?: AbortSignal): Promise<IncomingMessage> {
    const answer = await this.reach(this.daemon.stream(withQuery(path, query), signal));
    if ("body" in answer) throw refused(path, answer);
    return answer;
  }

  private async reach<T>(call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      throw dockerUnreachable(this.host, messageOf(error));
    }
  }
}

/** A container that has to be killed, or an image of gigabytes, takes its time. */
const REMOVAL_LIMIT_MS = 120_000;

function refused(path: string, answer: Answer): CliError {
  return new CliError(`Docker refused ${path}: ${reasonOf(answer)}`);
}

function withQuery(path: string, query: Query): string {
  const search = new URLSearchParams(
    Object.entries(query).map(([key, value]): [string, string] => [
      key,
      typeof value === "object" ? JSON.stringify(value) : String(value),
    ]),
  ).toString();
  return search ? `${path}?${search}` : path;
}

export type Query = Readonly<Record<string, string | number | boolean | object>>;

/** For a `filters` parameter: what carries all these labels. */
export function withLabels(labels: Readonly<Record<string, string>>): object {
  return { label: Object.entries(labels).map(([key, value]) => `${key}=${value}`) };
}
