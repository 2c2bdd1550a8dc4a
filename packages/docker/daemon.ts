import { readFileSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import * as os from "node:os";
import * as path from "node:path";
import { Readable } from "node:stream";

import { messageOf } from "./messageOf";

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

interface RequestOptions {
  readonly headers?: http.OutgoingHttpHeaders;
  readonly signal?: AbortSignal;
}

/**
 * Client of a Docker daemon's HTTP API. A request takes a few milliseconds (the docker command takes 100), and no docker command
 * has to be installed. The paths contain no API version, so the daemon uses its own.
 *
 * Every call rejects with the system's error if the daemon doesn't answer.
 */
export class Daemon {
  private readonly connection: https.RequestOptions;
  private readonly send: typeof http.request;

  /**
   * @param agent Creates the connections. @default connects to the host's address
   * @throws Error if the address is not supported, or if the TLS certificates can't be read
   */
  constructor(
    readonly host: string,
    private readonly agent?: http.Agent,
  ) {
    const { secure, ...connection } = agent ? { host: "docker", secure: false } : addressOf(host);
    this.connection = connection;
    this.send = secure ? https.request : http.request;
  }

  /** Checks whether the address is supported: unix, tcp, http or https. */
  static supports(host: string): boolean {
    return /^(unix|tcp|https?):\/\/./.test(host);
  }

  /** Closes the idle connections of the agent. */
  close(): void {
    this.agent?.destroy();
  }

  /** @param timeoutMs Time limit for the complete response. @default 30 s */
  get(resource: string, timeoutMs = TIMEOUT_MS): Promise<Answer> {
    return this.request("GET", resource, timeoutMs);
  }

  /** @param timeoutMs Time limit for the complete response. @default 30 s */
  delete(resource: string, timeoutMs = TIMEOUT_MS): Promise<Answer> {
    return this.request("DELETE", resource, timeoutMs);
  }

  /** Sends a tar archive and passes on the daemon's progress. Resolves when the daemon is done; rejects with its error. */
  async upload(
    resource: string,
    archive: Readable,
    onProgress: (progress: Progress) => void,
  ): Promise<void> {
    const request = this.begin("POST", resource, {
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

  /** Opens a stream, for example of logs or events. Resolves with an Answer if the daemon refuses. */
  async stream(resource: string, signal?: AbortSignal): Promise<http.IncomingMessage | Answer> {
    const request = this.begin("GET", resource, { signal });
    request.end();
    const response = await responseTo(request);
    return (response.statusCode ?? 0) < 300 ? response : answerIn(response);
  }

  private async request(method: string, resource: string, timeoutMs: number): Promise<Answer> {
    const request = this.begin(method, resource);
    const timer = setTimeout(() => request.destroy(new TimeoutError(timeoutMs)), timeoutMs);
    try {
      request.end();
      return await answerIn(await responseTo(request));
    } finally {
      clearTimeout(timer);
    }
  }

  private begin(method: string, path: string, options: RequestOptions = {}): http.ClientRequest {
    // One connection per request: an idle connection would keep this process alive.
    const agent = this.agent ?? false;
    return this.send({ ...this.connection, ...options, method, path, agent });
  }
}

const TIMEOUT_MS = 30_000;

class TimeoutError extends Error {
  readonly code = "ETIMEDOUT";

  constructor(timeoutMs: number) {
    super(`no answer within ${timeoutMs / 1000} s`);
  }
}

/** Returns the daemon's error message. */
export function reasonOf({ status, body }: Answer): string {
  const { message } = (typeof body === "object" && body !== null ? body : {}) as {
    message?: unknown;
  };
  if (typeof message === "string") return message;
  return typeof body === "string" && body.trim() !== "" ? body.trim() : `HTTP status ${status}`;
}

/**
 * Connection options for a daemon's address. With TLS they contain docker's own certificates.
 *
 * @throws Error if the address is not supported, or if the certificates can't be read
 */
export function addressOf(
  host: string,
  env: NodeJS.ProcessEnv = process.env,
): https.RequestOptions & { readonly secure: boolean } {
  const [, scheme = "", rest = ""] = /^([a-z]+):\/\/(.+)$/.exec(host) ?? [];
  if (scheme === "unix") return { socketPath: rest, host: "docker", secure: false };
  if (!Daemon.supports(host)) throw new Error(`${host} is not a supported address`);
  // As for the docker command, DOCKER_TLS_VERIFY enables TLS for tcp:// addresses.
  const secure = scheme === "https" || Boolean(env["DOCKER_TLS_VERIFY"]);
  const [, v6, name = v6 ?? "", port = secure ? 2376 : 2375] =
    /^(?:\[([^\]]+)\]|([^:/]+))(?::(\d+))?\/?$/.exec(rest) ?? [];
  if (name === "") throw new Error(`${host} contains no host name`);
  return {
    host: name,
    port: Number(port),
    secure,
    ...(secure && env["DOCKER_TLS_VERIFY"] ? certificates(env) : {}),
  };
}

function certificates(env: NodeJS.ProcessEnv): Pick<https.RequestOptions, "ca" | "cert" | "key"> {
  const folder =
    env["DOCKER_CERT_PATH"] || env["DOCKER_CONFIG"] || path.join(os.homedir(), ".docker");
  const read = (file: string): Buffer => readFileSync(path.join(folder, file));
  try {
    return { ca: read("ca.pem"), cert: read("cert.pem"), key: read("key.pem") };
  } catch (error) {
    throw new Error(`can't read the TLS certificates (${messageOf(error)}); see DOCKER_CERT_PATH`, {
      cause: error,
    });
  }
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
