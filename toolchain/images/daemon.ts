import * as http from "node:http";
import * as https from "node:https";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { Readable } from "node:stream";

import { messageOf, ToolchainError } from "../report";

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

/**
 * A Docker daemon by its HTTP API: a question costs a few milliseconds, where the docker CLI takes a hundred, and a build
 * doesn't depend on which CLI is installed and which plugins it has.
 */
export class Daemon {
  private readonly connection: http.RequestOptions;
  private readonly secure: boolean;

  constructor(readonly host: string) {
    const { connection, secure } = connectionTo(host);
    this.connection = connection;
    this.secure = secure;
  }

  /** Whether this address is one that we can speak HTTP with. */
  static speaksTo(host: string): boolean {
    return /^(unix|tcp|https?):\/\//.test(host);
  }

  get(resource: string, timeoutMs = 30_000): Promise<Answer> {
    return this.ask("GET", resource, timeoutMs);
  }

  post(resource: string): Promise<Answer> {
    return this.ask("POST", resource, 30_000);
  }

  delete(resource: string): Promise<Answer> {
    return this.ask("DELETE", resource, 30_000);
  }

  /** Sends an archive, and hands over what the daemon says about it line by line, until it is done. */
  async send(
    resource: string,
    archive: Readable,
    onProgress: (progress: Progress) => void,
  ): Promise<void> {
    const request = this.request("POST", resource, { "content-type": "application/x-tar" });
    const answered = responseTo(request);
    // An archive that breaks off must not look like one that has ended.
    archive.once("error", (error) => request.destroy(error));
    archive.pipe(request);
    const response = await answered;
    if (response.statusCode !== 200) {
      const { message } = parsed(await textOf(response)) as { message?: string };
      throw new Error(message ?? `HTTP status ${response.statusCode ?? 0}`);
    }
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

  private async ask(method: string, resource: string, timeoutMs: number): Promise<Answer> {
    const request = this.request(method, resource);
    const timer = setTimeout(
      () => request.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
    try {
      request.end();
      const response = await responseTo(request);
      return { status: response.statusCode ?? 0, body: parsed(await textOf(response)) };
    } finally {
      clearTimeout(timer);
    }
  }

  private request(
    method: string,
    resource: string,
    headers?: http.OutgoingHttpHeaders,
  ): http.ClientRequest {
    const send = this.secure ? https.request : http.request;
    // A connection of its own for each request: one that is kept would keep the process from ending.
    return send({ ...this.connection, method, path: resource, headers, agent: false });
  }
}

function connectionTo(host: string): { connection: http.RequestOptions; secure: boolean } {
  if (host.startsWith("unix://")) {
    return { connection: { socketPath: host.slice("unix://".length) }, secure: false };
  }
  if (!Daemon.speaksTo(host)) {
    throw new ToolchainError(
      `Base images can't be looked up at the Docker daemon ${host}.`,
      "Use a daemon at unix:// or tcp://.",
    );
  }
  const { hostname, port, protocol } = new URL(host.replace(/^tcp:/, "http:"));
  const certificates = process.env.DOCKER_CERT_PATH;
  // The docker CLI's own variables say whether a tcp:// address speaks TLS.
  const secure = protocol === "https:" || Boolean(process.env.DOCKER_TLS_VERIFY);
  const read = (file: string): Buffer => readFileSync(path.join(certificates ?? "", file));
  const tls =
    secure && certificates !== undefined
      ? { ca: read("ca.pem"), cert: read("cert.pem"), key: read("key.pem") }
      : {};
  const defaultPort = secure ? "2376" : "2375";
  return { connection: { hostname, port: port || defaultPort, ...tls }, secure };
}

function responseTo(request: http.ClientRequest): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once("response", resolve);
    request.on("error", reject);
  });
}

async function textOf(response: http.IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of response.setEncoding("utf8") as AsyncIterable<string>) text += chunk;
  return text;
}

function parsed(text: string): unknown {
  if (text.trim() === "") return {};
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`the daemon's answer is no JSON (${messageOf(error)}): ${text.slice(0, 200)}`, {
      cause: error,
    });
  }
}
