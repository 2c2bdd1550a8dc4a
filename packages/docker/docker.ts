import * as http from "node:http";
import * as https from "node:https";
import type { Readable } from "node:stream";

import { CliError } from "./cliError";
import { connectionTo, type DockerConnection, sshAgentFor } from "./connection";
import type { DockerEndpoint } from "./endpoint";
import { messageOf } from "./messageOf";
import { dockerUnreachable } from "./unreachable";

/** Response of a daemon: the status and the parsed JSON, or the text if it is no JSON. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** A line of the daemon's output while it builds, imports or pulls an image. */
export interface Progress {
  readonly stream?: string;
  readonly status?: string;
  readonly error?: string;
}

export type Query = Readonly<Record<string, string | number | boolean | object>>;

interface RequestOptions {
  readonly headers?: http.OutgoingHttpHeaders;
  readonly signal?: AbortSignal;
}

/**
 * Client of a Docker daemon's HTTP API: over a socket, TCP, TLS or ssh. A request takes a few milliseconds (the docker command takes
 * 100), and no docker command has to be installed. The paths contain no API version, so the daemon uses its own.
 *
 * Every call rejects with a CliError if the daemon doesn't answer.
 */
export class Docker {
  readonly host: string;
  private readonly connection: DockerConnection;
  private readonly agent: http.Agent | undefined;
  private readonly send: typeof http.request;

  /**
   * @param agent Creates the connections. @default connects to the endpoint
   * @param diagnose Finds the cause of a daemon that doesn't answer, and returns the error to throw. @default the error itself
   * @throws CliError if the address is not supported, or if the TLS certificates can't be read
   */
  constructor(
    readonly endpoint: Pick<DockerEndpoint, "host" | "certPath">,
    agent?: http.Agent,
    private readonly diagnose?: (error: CliError) => Promise<CliError>,
  ) {
    this.host = endpoint.host;
    try {
      this.connection = connectionTo(endpoint);
      this.agent = agent ?? sshAgentFor(endpoint.host);
    } catch (error) {
      throw new CliError(`Can't connect to Docker at ${this.host}: ${messageOf(error)}.`, {
        hint: "Correct DOCKER_HOST, docker's context or store:dockerHost, whichever has that address.",
      });
    }
    this.send = this.connection.secure ? https.request : http.request;
  }

  /** Closes idle connections. */
  close(): void {
    this.agent?.destroy();
  }

  /** Returns the error for a daemon that doesn't answer, or whose stream has broken off. Its cause is the given error. */
  async unreachable(error: unknown): Promise<CliError> {
    const found = dockerUnreachable(this.host, error);
    return (await this.diagnose?.(found)) ?? found;
  }

  /** Checks that the daemon answers. @throws CliError */
  async ping(): Promise<void> {
    await this.request("GET", "/_ping");
  }

  /** Returns undefined if the object doesn't exist. @throws CliError if the daemon refuses */
  async get<T>(path: string, query: Query = {}): Promise<T | undefined> {
    const answer = await this.request("GET", withQuery(path, query));
    if (answer.status === 404) return undefined;
    if (answer.status >= 300) throw refused(path, answer);
    return answer.body as T;
  }

  /** Returns an empty list if the object doesn't exist. @throws CliError if the daemon refuses */
  async list<T>(path: string, query: Query = {}): Promise<T[]> {
    return (await this.get<T[]>(path, query)) ?? [];
  }

  /** Removes an object. Returns the daemon's message if it refuses, and undefined if the object doesn't exist. */
  async remove(path: string, query: Query = {}): Promise<string | undefined> {
    const answer = await this.request("DELETE", withQuery(path, query), REMOVAL_TIMEOUT_MS);
    return answer.status < 300 || answer.status === 404 ? undefined : reasonOf(answer);
  }

  /** Sends a command. Returns the daemon's message if it refuses. */
  async post(path: string, body: object = {}): Promise<string | undefined> {
    const answer = await this.request("POST", path, COMMAND_TIMEOUT_MS, body);
    return answer.status < 400 ? undefined : reasonOf(answer);
  }

  /** Sends a tar archive and passes on the daemon's progress. Resolves when the daemon is done; rejects with its error. */
  async upload(
    path: string,
    archive: Readable,
    onProgress: (progress: Progress) => void,
  ): Promise<void> {
    const request = this.begin("POST", path, {
      headers: { "content-type": "application/x-tar" },
    });
    const responded = responseTo(request);
    // Without this the daemon would take an incomplete archive for a complete one.
    archive.once("error", (error) => request.destroy(error));
    archive.pipe(request);
    const response = await responded;
    if (response.statusCode !== 200) throw new Error(reasonOf(await answerIn(response)));
    let rest = "";
    for await (const chunk of response.setEncoding("utf8") as AsyncIterable<string>) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines.filter((text) => text.trim() !== "")) {
        const progress = JSON.parse(line) as Progress;
        if (progress.error !== undefined) throw new Error(progress.error);
        onProgress(progress);
      }
    }
  }

  /** Opens a stream of logs or events. @throws CliError if the daemon refuses */
  async stream(path: string, query: Query, signal?: AbortSignal): Promise<http.IncomingMessage> {
    const request = this.begin("GET", withQuery(path, query), { signal });
    request.end();
    const response = await this.reach(responseTo(request));
    if ((response.statusCode ?? 0) < 300) return response;
    throw refused(path, await this.reach(answerIn(response)));
  }

  /**
   * Returns the daemon's response, whatever its status.
   *
   * @param timeoutMs Time limit for the complete response. @default 30 s
   * @param body Sent as JSON. @default none
   * @throws CliError whose cause is the system's error, if the daemon doesn't answer
   */
  async request(
    method: string,
    path: string,
    timeoutMs = TIMEOUT_MS,
    body?: object,
  ): Promise<Answer> {
    const text = body && JSON.stringify(body);
    const request = this.begin(
      method,
      path,
      text === undefined
        ? {}
        : {
            headers: {
              "content-type": "application/json",
              "content-length": Buffer.byteLength(text),
            },
          },
    );
    const timer = setTimeout(() => request.destroy(new TimeoutError(timeoutMs)), timeoutMs);
    try {
      request.end(text);
      return await this.reach(responseTo(request).then(answerIn));
    } finally {
      clearTimeout(timer);
    }
  }

  private begin(method: string, path: string, options: RequestOptions = {}): http.ClientRequest {
    // One connection per request: an idle connection would keep this process alive.
    const agent = this.agent ?? false;
    return this.send({ ...this.connection, ...options, method, path, agent });
  }

  private async reach<T>(call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      throw await this.unreachable(error);
    }
  }
}

const TIMEOUT_MS = 30_000;

/** Killing a container or removing a large image can take long. */
const REMOVAL_TIMEOUT_MS = 120_000;
/** A restart first waits until the container has stopped. */
const COMMAND_TIMEOUT_MS = 120_000;

class TimeoutError extends Error {
  readonly code = "ETIMEDOUT";

  constructor(timeoutMs: number) {
    super(`no answer within ${timeoutMs / 1000} s`);
  }
}

function refused(path: string, answer: Answer): CliError {
  return new CliError(`Docker refused ${path}: ${reasonOf(answer)}`);
}

/** Returns the daemon's error message. */
export function reasonOf({ status, body }: Answer): string {
  const { message } = (typeof body === "object" && body !== null ? body : {}) as {
    message?: unknown;
  };
  if (typeof message === "string") return message;
  return typeof body === "string" && body.trim() !== "" ? body.trim() : `HTTP status ${status}`;
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

/** Value of a `filters` parameter that selects objects with all these labels. */
export function withLabels(labels: Readonly<Record<string, string>>): object {
  return { label: Object.entries(labels).map(([key, value]) => `${key}=${value}`) };
}

function responseTo(request: http.ClientRequest): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once("response", resolve);
    request.on("error", reject);
  });
}

/** Reads the body, as JSON if possible. */
async function answerIn(response: http.IncomingMessage): Promise<Answer> {
  let text = "";
  for await (const chunk of response.setEncoding("utf8") as AsyncIterable<string>) text += chunk;
  const status = response.statusCode ?? 0;
  try {
    return { status, body: text.trim() === "" ? {} : (JSON.parse(text) as unknown) };
  } catch {
    return { status, body: text };
  }
}
