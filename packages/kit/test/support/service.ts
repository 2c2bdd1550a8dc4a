import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { bundleService } from "./bundle.ts";
import { callerEnvironment, withCaller } from "./caller.ts";

export const repositoryRoot = join(__dirname, "../../../..");

/** A URL on which nothing listens: the discard port. */
export const UNREACHABLE_URL = "http://127.0.0.1:9";

interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A service that runs as a process. It differs from production only in being bundled into one file. */
export interface RunningService {
  readonly url: string;
  readonly process: ChildProcess;
  /** The log lines received so far. */
  readonly log: readonly LogLine[];
  /** The lines of stdout and stderr received so far. */
  readonly output: readonly string[];
  /** Requests a path of the service; an internal one as a service that depends on it. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Requests a path of the service and returns the JSON body, whatever the status. */
  json(path: string, init?: RequestInit): Promise<unknown>;
  /** Waits for a matching line in the log. */
  waitForLog(description: string, matches: (line: LogLine) => boolean): Promise<LogLine>;
  /** Waits until the service has flushed its log buffer, and returns the complete log. */
  flushedLog(): Promise<readonly LogLine[]>;
  /** Resolves when /readyz responds 200. */
  ready(): Promise<void>;
  /** Sends the signal (SIGINT by default) and returns the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** The exit code, once the process has ended. */
  readonly exited: Promise<number | null>;
}

interface StartOptions {
  /** Folder of the service, absolute or relative to the repository. @default services/NAME */
  readonly folder?: string;
}

const children = new Set<ChildProcess>();
process.once("exit", () => children.forEach((child) => child.kill("SIGKILL")));

/**
 * Starts a service and resolves when it listens.
 *
 * @throws StartupError with the service's output if the process ends before it listens.
 */
export async function startService(
  name: string,
  environment: Readonly<Record<string, string>> = {},
  { folder = join("services", name) }: StartOptions = {},
): Promise<RunningService> {
  const serviceFolder = resolve(repositoryRoot, folder);
  const bundle = await bundleService(repositoryRoot, serviceFolder);
  const child = spawn(process.execPath, ["--enable-source-maps", bundle], {
    cwd: serviceFolder,
    // Inherits only PATH, so that a test fails if the service needs an undocumented variable.
    env: {
      PATH: process.env["PATH"],
      PORT: "0",
      DRAIN_SECONDS: "0",
      ...callerEnvironment(),
      ...environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.add(child);
  const log: LogLine[] = [];
  const lines: string[] = [];
  const output = createInterface(child.stdout);
  const errors = createInterface(child.stderr).on("line", (line) => lines.push(line));
  const exited = Promise.all([
    once(child, "exit"),
    once(output, "close"),
    once(errors, "close"),
  ]).then(([[code]]) => {
    children.delete(child);
    return code as number | null;
  });
  const url = await new Promise<string>((listening, reject) => {
    output.on("line", (line) => {
      lines.push(line);
      const entry = parseLine(line, child);
      if (entry === undefined) return;
      log.push(entry);
      const address = /^Server listening at (.*)$/.exec(entry.msg)?.[1];
      if (address !== undefined) listening(address);
    });
    void exited.then((code) => reject(new StartupError(name, code, lines)));
  });

  const service: RunningService = {
    url,
    process: child,
    log,
    output: lines,
    exited,
    fetch: (path, init) => fetch(url + path, withCaller(path, init)),
    json: async (path, init) => (await service.fetch(path, init)).json(),
    waitForLog: async (description, matches) => {
      await until(description, () => log.some(matches));
      return log.find(matches) ?? assert.fail(description);
    },
    flushedLog: async () => {
      if (child.exitCode !== null || child.signalCode !== null) await exited;
      else await flush(service);
      return log;
    },
    ready: () => until(`${name} is ready`, async () => (await service.fetch("/readyz")).ok),
    stop: (signal = "SIGINT") => {
      child.kill(signal);
      return exited;
    },
  };
  return service;
}

/** Parses a line of the log. Returns `undefined` for the last line of a killed process if it is incomplete. */
function parseLine(line: string, child: ChildProcess): LogLine | undefined {
  try {
    return JSON.parse(line) as LogLine;
  } catch (error) {
    if (child.killed) return undefined;
    throw error;
  }
}

/** Waits for the line of a request that is sent now: the service writes its lines in their order. */
async function flush(service: RunningService): Promise<void> {
  const id = `flush-${randomUUID()}`;
  const response = await service.fetch("/no-such-path", { headers: { "x-request-id": id } });
  await response.arrayBuffer();
  await service.waitForLog("the buffered lines", ({ requestId }) => requestId === id);
}

/** Returns the complete logs of several services as one text. */
export async function flushedLogs(services: readonly RunningService[]): Promise<string> {
  return JSON.stringify(await Promise.all(services.map((service) => service.flushedLog())));
}

/** A service ended before it listened. */
export class StartupError extends Error {
  readonly exitCode: number | null;
  readonly lines: readonly string[];

  constructor(name: string, exitCode: number | null, lines: readonly string[]) {
    super(`${name} ended with ${exitCode}:\n${lines.join("\n")}`);
    this.exitCode = exitCode;
    this.lines = lines;
  }
}

/**
 * Waits until the condition is true. Checks it every 50 ms.
 *
 * @param seconds Limit that only ends a test that hangs. A busy machine may be ten times slower than usual.
 * @throws Error with the description after the timeout.
 */
export async function until(
  description: string,
  condition: () => boolean | Promise<boolean>,
  seconds = 120,
): Promise<void> {
  const deadline = Date.now() + seconds * 1_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`Timed out after ${seconds} s: ${description}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
