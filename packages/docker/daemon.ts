import { readFileSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import * as os from "node:os";
import * as path from "node:path";
import { Readable } from "node:stream";

import { messageOf } from "./messageOf";

/** What a daemon answers: a status and whatever its JSON says. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** A line of what the daemon says while it builds, imports or pulls. */
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
 * A Docker daemon by its HTTP API: a question costs a few milliseconds, where the docker command takes a hundred, and nothing
 * depends on which command is installed and which plugins it has. Without a version in the path the daemon answers in its own.
 *
 * Every call rejects with the system's error where nobody answers.
 */
export class Daemon {
  private readonly connection: https.RequestOptions;
  private readonly send: typeof http.request;

  /**
   * @param agent Makes the connections, where the address is none that can be connected to.
   * @throws Error for an address that HTTP can't be spoken with, and for certificates that can't be read.
   */
  constructor(
    readonly host: string,
    private readonly agent?: http.Agent,
  ) {
    const { secure, ...connection } = agent ? { host: "docker", secure: false } : addressOf(host);
    this.connection = connection;
    this.send = secure ? https.request : http.request;
  }

  /** Whether this address is one that we can speak HTTP with. */
  static speaksTo(host: string): boolean {
    return /^(unix|tcp|https?):\/\/./.test(host);
  }

  /** Ends the connections that the agent keeps for the next call. */
  close(): void {
    this.agent?.destroy();
  }

  /** @param timeoutMs How long the whole answer may take. @default 30 s */
  get(resource: string, timeoutMs = LIMIT_MS): Promise<Answer> {
    return this.ask("GET", resource, timeoutMs);
  }

  /** @param timeoutMs How long the whole answer may take. @default 30 s */
  delete(resource: string, timeoutMs = LIMIT_MS): Promise<Answer> {
    return this.ask("DELETE", resource, timeoutMs);
  }

  /** Sends an archive, and hands over what the daemon says about it line by line, until it is done. */
  async upload(
    resource: string,
    archive: Readable,
    onProgress: (progress: Progress) => void,
  ): Promise<void> {
    const request = this.begin("POST", resource, {
      headers: { "content-type": "application/x-tar" },
    });
    const answered = responseTo(request);
    // An archive that breaks off must not look like one that has ended.
    archive.once("error", (error) => request.destroy(error));
    archive.pipe(request);
    const response = await answered;
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

  /** For answers that go on: logs and events. What is refused comes as an answer. */
  async stream(resource: string, signal?: AbortSignal): Promise<http.IncomingMessage | Answer> {
    const request = this.begin("GET", resource, { signal });
    request.end();
    const response = await responseTo(request);
    return (response.statusCode ?? 0) < 300 ? response : answerIn(response);
  }

  private async ask(method: string, resource: string, timeoutMs: number): Promise<Answer> {
    const request = this.begin(method, resource);
    const timer = setTimeout(() => request.destroy(new NoAnswer(timeoutMs)), timeoutMs);
    try {
      request.end();
      return await answerIn(await responseTo(request));
    } finally {
      clearTimeout(timer);
    }
  }

  private begin(method: string, path: string, options: RequestOptions = {}): http.ClientRequest {
    // A connection of its own for each request: one that is kept would keep the process from ending.
    const agent = this.agent ?? false;
    return this.send({ ...this.connection, ...options, method, path, agent });
  }
}

const LIMIT_MS = 30_000;

class NoAnswer extends Error {
  readonly code = "ETIMEDOUT";

  constructor(timeoutMs: number) {
    super(`no answer within ${timeoutMs / 1000} s`);
  }
}

/** Why a daemon refused. */
export function reasonOf({ status, body }: Answer): string {
  const { message } = (typeof body === "object" && body !== null ? body : {}) as {
    message?: unknown;
  };
  if (typeof message === "string") return message;
  return typeof body === "string" && body.trim() !== "" ? body.trim() : `HTTP status ${status}`;
}

/** Where requests go: a socket, or a name and a port, with the docker command's own certificates where it uses TLS. */
export function addressOf(
  host: string,
  env: NodeJS.ProcessEnv = process.env,
): https.RequestOptions & { readonly secure: boolean } {
  const [, scheme = "", rest = ""] = /^([a-z]+):\/\/(.+)$/.exec(host) ?? [];
  if (scheme === "unix") return { socketPath: rest, host: "docker", secure: false };
  if (!Daemon.speaksTo(host)) throw new Error(`${host} is not an address for HTTP`);
  // The docker command's own variable says whether a tcp:// address speaks TLS.
  const secure = scheme === "https" || Boolean(env["DOCKER_TLS_VERIFY"]);
  const [, v6, name = v6 ?? "", port = secure ? 2376 : 2375] =
    /^(?:\[([^\]]+)\]|([^:/]+))(?::(\d+))?\/?$/.exec(rest) ?? [];
  if (name === "") throw new Error(`${host} names no host`);
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
    throw new Error(`its certificates can't be read (${messageOf(error)}); see DOCKER_CERT_PATH`, {
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

/** Its body as JSON where it is that, else as text. */
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
