import type { Agent, IncomingMessage } from "node:http";
import { Answer, Daemon, reasonOf } from "@store/docker/daemon";
import { messageOf } from "@store/docker/messageOf";
import { CliError } from "@store/docker/cliError";

/** Error for a daemon that doesn't answer. */
export function dockerUnreachable(host: string, cause: string): CliError {
  return new CliError(`Docker at ${host} doesn't answer (${cause}).`, {
    hint: "Start it (systemctl start docker, or Docker Desktop). ./store doctor checks it.",
  });
}

/** The CLI's client of Docker: a {@link Daemon} whose failures are CliErrors. */
export class Docker {
  private readonly daemon: Daemon;

  /**
   * @param agent Creates the connections. @default connects to the host's address
   * @throws CliError if the address is not supported
   */
  constructor(
    readonly host: string,
    agent?: Agent,
  ) {
    try {
      this.daemon = new Daemon(host, agent);
    } catch (error) {
      throw new CliError(`Can't connect to Docker at ${host}: ${messageOf(error)}.`, {
        hint: "Set DOCKER_HOST or store:dockerHost to a unix:// or tcp:// address.",
      });
    }
  }

  /** Closes idle connections. */
  close(): void {
    this.daemon.close();
  }

  /** Checks that the daemon answers. @throws CliError */
  async ping(): Promise<void> {
    await this.reach(this.daemon.get("/_ping"));
  }

  /** Returns undefined if the object doesn't exist. */
  async get<T>(path: string, query: Query = {}): Promise<T | undefined> {
    const answer = await this.reach(this.daemon.get(withQuery(path, query)));
    if (answer.status === 404) return undefined;
    if (answer.status >= 300) throw refused(path, answer);
    return answer.body as T;
  }

  async list<T>(path: string, query: Query = {}): Promise<T[]> {
    return (await this.get<T[]>(path, query)) ?? [];
  }

  /** Removes an object. Returns the daemon's message if it refuses, and undefined if the object doesn't exist. */
  async remove(path: string, query: Query = {}): Promise<string | undefined> {
    const answer = await this.reach(this.daemon.delete(withQuery(path, query), REMOVAL_TIMEOUT_MS));
    return answer.status < 300 || answer.status === 404 ? undefined : reasonOf(answer);
  }

  /** Opens a stream of logs or events. */
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

/** Killing a container or removing a large image can take long. */
const REMOVAL_TIMEOUT_MS = 120_000;

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

/** Value of a `filters` parameter that selects objects with all these labels. */
export function withLabels(labels: Readonly<Record<string, string>>): object {
  return { label: Object.entries(labels).map(([key, value]) => `${key}=${value}`) };
}
