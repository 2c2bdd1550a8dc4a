import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { CliError } from "@store/docker/cliError";
import { EngineEvent, plain, readEvents } from "./events";

/** How an engine's run ended. */
export interface EngineRun {
  readonly exitCode: number;
  /** The person, or whoever sent a signal, wanted it to end. */
  readonly interrupted: boolean;
  readonly events: readonly EngineEvent[];
  /** The end of what it said beside its progress display: what stopped it before it could write events. */
  readonly stderr: string;
}

export interface EngineCall {
  readonly pulumi: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Where the engine writes its events; none for subcommands that have no such log. */
  readonly eventLog?: string;
}

/**
 * Runs the engine on our terminal, so that its own progress display is what the person sees.
 *
 * The first Ctrl-C or signal asks it to stop after what it is doing, the second ends it.
 */
export async function runEngine(call: EngineCall): Promise<EngineRun> {
  const { eventLog } = call;
  const child = spawn(
    call.pulumi,
    eventLog ? [...call.args, "--event-log", eventLog] : [...call.args],
    {
      cwd: call.cwd,
      env: eventLog ? { ...call.env, PULUMI_DEBUG_COMMANDS: "true" } : call.env,
      stdio: ["inherit", "inherit", eventLog ? "pipe" : "inherit"],
    },
  );
  let stderr = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    process.stderr.write(chunk);
    stderr = (stderr + chunk.toString("utf8")).slice(-20_000);
  });
  const signals = passOnSignals(child, eventLog);
  try {
    const exitCode = await exitOf(child, call.pulumi);
    const events = eventLog ? readEvents(eventLog) : [];
    const canceled = events.some((event) => event.summaryEvent?.result === "canceled");
    return {
      exitCode,
      interrupted: signals.count() > 0 || canceled || heard(events) > 0,
      events,
      stderr: plain(stderr),
    };
  } finally {
    signals.stop();
  }
}

/** What the engine printed, and how it ended. */
export interface EngineOutput {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the engine quietly for what it prints. */
export async function captureEngine(call: Omit<EngineCall, "eventLog">): Promise<EngineOutput> {
  const child = spawn(call.pulumi, [...call.args], {
    cwd: call.cwd,
    env: call.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const text = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text.stdout += chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (text.stderr += chunk));
  return { exitCode: await exitOf(child, call.pulumi), ...text };
}

/**
 * A signal to our process group (Ctrl-C) reaches the engine without us, and if we passed it on as well the engine would take
 * that for the second one and leave half of its work behind. One that is sent to us alone doesn't reach it. So we look in its
 * event log whether it has heard, and pass on what it hasn't.
 */
function passOnSignals(
  child: ChildProcess,
  eventLog: string | undefined,
): { count(): number; stop(): void } {
  let count = 0;
  let last = 0;
  const handle = (signal: NodeJS.Signals): void => {
    // One request may arrive twice: by the process group, and from npm, which passes on what it gets.
    if (Date.now() - last < 300) return;
    last = Date.now();
    count += 1;
    if (count > 2) child.kill("SIGKILL");
    else if (eventLog === undefined) passOnToEngineWithoutLog(child, signal);
    else passOnUnlessHeard(child, signal, eventLog, count);
  };
  for (const signal of SIGNALS) process.on(signal, handle);
  return {
    count: () => count,
    stop: () => {
      for (const signal of SIGNALS) process.off(signal, handle);
    },
  };
}

/** A busy machine may take the engine a moment to say that it has heard. */
const HEARS_WITHIN_MS = 2000;

function passOnUnlessHeard(
  child: ChildProcess,
  signal: NodeJS.Signals,
  eventLog: string,
  count: number,
): void {
  const until = Date.now() + HEARS_WITHIN_MS;
  const look = setInterval(() => {
    const done = child.exitCode !== null || heard(readEvents(eventLog)) >= count;
    if (!done && Date.now() < until) return;
    clearInterval(look);
    if (!done) child.kill(signal);
  }, 100);
  look.unref();
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Ctrl-C is nearly always the terminal's, which tells the whole group; the others are sent to a process. */
function passOnToEngineWithoutLog(child: ChildProcess, signal: NodeJS.Signals): void {
  if (signal !== "SIGINT") child.kill(signal);
}

/** How many signals the engine says it has received. */
function heard(events: readonly EngineEvent[]): number {
  return events.filter(({ stdoutEvent }) =>
    /(\^C|SIGTERM) received; (cancelling|terminating)/.test(stdoutEvent?.message ?? ""),
  ).length;
}

function exitOf(child: ChildProcess, pulumi: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", (error) =>
      reject(new CliError(`${pulumi} can't be run: ${error.message}`)),
    );
    child.once("close", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 1)));
  });
}
