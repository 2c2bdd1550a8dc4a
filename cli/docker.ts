import { Agent, request } from "node:http";
import type { IncomingMessage, RequestOptions } from "node:http";
import { Failure } from "./failure";

/** A daemon that can't be talked to, by the address that was tried. */
export class DockerUnreachable extends Failure {
  constructor(host: string, cause: string) {
    super(`Docker doesn't answer at ${host} (${cause}).`, {
      remedy: "Start it (systemctl start docker, or Docker Desktop), then see ./store doctor.",
    });
  }
}

/** A client for the few calls of Docker's API that the command needs. */
export class Docker {
  private readonly address: RequestOptions;

  /** @param agent Makes the connections, where the address is none that can be connected to. */
  constructor(
    readonly host: string,
    agent?: Agent,
  ) {
    this.address = agent ? { agent, host: "docker" } : addressOf(host);
  }

  /** Ends the connections that are kept for the next call. */
  close(): void {
    if (this.address.agent instanceof Agent) this.address.agent.destroy();
  }

  /** @throws DockerUnreachable */
  async ping(): Promise<void> {
    await this.call("GET", "/_ping", {});
  }

  /** @returns undefined where there is no such thing. */
  async get<T>(path: string, query: Query = {}): Promise<T | undefined> {
    const { status, body } = await this.call("GET", path, query);
    if (status === 404) return undefined;
    this.expectSuccess(status, body, path);
    return JSON.parse(body) as T;
  }

  async list<T>(path: string, query: Query = {}): Promise<T[]> {
    return (await this.get<T[]>(path, query)) ?? [];
  }

  /** @returns the daemon's reason where it refuses; what is gone already is gone. */
  async remove(path: string, query: Query = {}): Promise<string | undefined> {
    const { status, body } = await this.call("DELETE", path, query);
    return status < 300 || status === 404 ? undefined : messageOf(body);
  }

  /** For answers that go on: logs and events. */
  async stream(path: string, query: Query, signal?: AbortSignal): Promise<IncomingMessage> {
    const response = await this.open("GET", path, query, signal);
    const status = response.statusCode ?? 0;
    if (status >= 300) this.expectSuccess(status, await read(response), path);
    return response;
  }

  private async call(
    method: string,
    path: string,
    query: Query,
  ): Promise<{ status: number; body: string }> {
    const response = await this.open(method, path, query);
    return { status: response.statusCode ?? 0, body: await read(response) };
  }

  private open(
    method: string,
    path: string,
    query: Query,
    signal?: AbortSignal,
  ): Promise<IncomingMessage> {
    const search = new URLSearchParams(
      Object.entries(query).map(([key, value]): [string, string] => [
        key,
        typeof value === "object" ? JSON.stringify(value) : String(value),
      ]),
    ).toString();
    return new Promise((resolve, reject) => {
      const call = request(
        { ...this.address, method, path: search ? `${path}?${search}` : path, signal },
        resolve,
      );
      call.once("error", (error) => reject(new DockerUnreachable(this.host, error.message)));
      call.end();
    });
  }

  private expectSuccess(status: number, body: string, path: string): void {
    if (status < 300) return;
    throw new Failure(`Docker refused ${path.split("?")[0]}: ${messageOf(body)}`);
  }
}

export type Query = Readonly<Record<string, string | number | boolean | object>>;

/** For a `filters` parameter: what carries all these labels. */
export function withLabels(labels: Readonly<Record<string, string>>): object {
  return { label: Object.entries(labels).map(([key, value]) => `${key}=${value}`) };
}

function addressOf(host: string): RequestOptions {
  const url = /^([a-z]+):\/\/(.*)$/.exec(host);
  if (url?.[1] === "unix" && url[2]) return { socketPath: url[2], host: "docker" };
  const [, name, port] =
    (url?.[1] === "tcp" || url?.[1] === "http" ? url[2] : undefined)?.match(
      /^\[?([^\]]+?)\]?:(\d+)\/?$/,
    ) ?? [];
  if (name && port) return { host: name, port: Number(port) };
  throw new Failure(`The command can't talk to a Docker daemon at ${host}.`, {
    remedy: "It speaks to unix:// and tcp:// addresses: set DOCKER_HOST or store:dockerHost.",
  });
}

async function read(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

function messageOf(body: string): string {
  try {
    const { message } = JSON.parse(body) as { message?: unknown };
    return typeof message === "string" ? message : body;
  } catch {
    return body.trim();
  }
}
