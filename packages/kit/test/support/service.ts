import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { bundleService } from "./bundle.ts";

export const repositoryRoot = join(__dirname, "../../../..");

interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A service as a process of its own, as it runs in production but for being in one file. */
export interface RunningService {
  readonly url: string;
  readonly process: ChildProcess;
  /** What has come of its log so far. */
  readonly log: readonly LogLine[];
  /** All that it has printed, on both streams, line by line. */
  readonly output: readonly string[];
  /** Answers to requests for its paths. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  json(path: string, init?: RequestInit): Promise<unknown>;
  /** Waits for a line in the log. */
  waitForLog(what: string, matches: (line: LogLine) => boolean): Promise<LogLine>;
  /** All that it has logged by now, of which it may have kept back the last moment. */
  flushedLog(): Promise<readonly LogLine[]>;
  /** Resolves when /readyz says 200. */
  ready(): Promise<void>;
  /** Sends the signal and gives the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  readonly exited: Promise<number | null>;
}

interface StartOptions {
  /** Its folder, absolute or relative to the repository. @default services/NAME */
  readonly folder?: string;
}

const children = new Set<ChildProcess>();
process.once("exit", () => children.forEach((child) => child.kill("SIGKILL")));

/** Starts a service and resolves when it listens; rejects with its log when it ends before. */
export async function startService(
  name: string,
  environment: Readonly<Record<string, string>> = {},
  { folder = join("services", name) }: StartOptions = {},
): Promise<RunningService> {
  const place = resolve(repositoryRoot, folder);
  const child = spawn(process.execPath, ["--enable-source-maps", await bundleService(place)], {
    cwd: place,
    // Nothing of ours but PATH: a variable that the service needs must be in its contract.
    env: { PATH: process.env["PATH"], PORT: "0", DRAIN_SECONDS: "0", ...environment },
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
      // The last line of one that was killed may be cut off.
      if (child.killed && !line.endsWith("}")) return;
      const entry = JSON.parse(line) as LogLine;
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
    fetch: (path, init) => fetch(url + path, init),
    json: async (path, init) => (await service.fetch(path, init)).json(),
    waitForLog: async (what, matches) => {
      await until(what, () => log.some(matches));
      return log.find(matches) ?? assert.fail(what);
    },
    flushedLog: async () => {
      await new Promise((resolve) => setTimeout(resolve, 300));
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

/** All that these have logged by now, in one text. */
export async function flushedLogs(services: readonly RunningService[]): Promise<string> {
  return JSON.stringify(await Promise.all(services.map((service) => service.flushedLog())));
}

/** The process ended before it listened. */
export class StartupError extends Error {
  readonly exitCode: number | null;
  readonly lines: readonly string[];

  constructor(name: string, exitCode: number | null, lines: readonly string[]) {
    super(`${name} ended with ${exitCode}:\n${lines.join("\n")}`);
    this.exitCode = exitCode;
    this.lines = lines;
  }
}

/** Waits for something to become true, and says what didn't. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  seconds = 20,
): Promise<void> {
  const deadline = Date.now() + seconds * 1_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`Waited ${seconds} s in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * A port that stays free while what listened on it is started again: outgoing connections are given theirs from 32768 on
 * (Linux) or 49152 (macOS).
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(20_000, 32_000);
    const server = createServer().listen(port, "127.0.0.1");
    try {
      await once(server, "listening");
    } catch {
      continue;
    }
    server.close();
    await once(server, "close");
    return port;
  }
  throw new Error("no free port was found between 20000 and 32000");
}
