import { ChildProcess, spawn } from "node:child_process";
import { CliError } from "@store/docker/cliError";
import { run } from "@store/toolchain/system/run";
import { endOrphanedPlugins } from "./orphanedPlugins";
import { EngineStderr } from "./engineStderr";
import { EngineEvent, plain, readEvents } from "./events";

/** Result of a run of the engine. */
export interface EngineRun {
  readonly exitCode: number;
  /** The user or another process has interrupted the run by a signal. */
  readonly interrupted: boolean;
  /**
   * Signal that ended the engine at once, such as SIGKILL, or SIGHUP when the terminal was closed: operations in progress are unfinished.
   * @default the engine ended by itself
   */
  readonly killedBy?: NodeJS.Signals;
  /** Empty without an event log. */
  readonly events: readonly EngineEvent[];
  /** The end of the engine's stderr: its errors before it could write events. Empty without an event log. */
  readonly stderr: string;
}

export interface EngineCall {
  /** Path of the pulumi executable. */
  readonly pulumi: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** File for the engine's events. Not all Pulumi commands support it. @default none */
  readonly eventLog?: string;
  /** Prints the engine's output on stderr, so that stdout contains the command's result alone. @default false */
  readonly quiet?: boolean;
}

/**
 * Runs the engine on this terminal with its own progress display.
 *
 * The first signal (Ctrl-C) asks the engine to stop after the operations in progress, the second ends it, the third kills it.
 */
export async function runEngine(call: EngineCall): Promise<EngineRun> {
  const { eventLog } = call;
  const child = spawn(
    call.pulumi,
    eventLog ? [...call.args, "--event-log", eventLog] : [...call.args],
    {
      cwd: call.cwd,
      // --event-log is a debugging option.
      env: eventLog ? { ...call.env, PULUMI_DEBUG_COMMANDS: "true" } : call.env,
      stdio: ["inherit", call.quiet ? process.stderr : "inherit", eventLog ? "pipe" : "inherit"],
    },
  );
  const stderr = new EngineStderr(child.stderr);
  const signals = forwardSignals(child, eventLog);
  try {
    const exitCode = await waitForExit(child, call.pulumi);
    stderr.end(exitCode);
    // Killed, for example by SIGPIPE in `up | head`: its plugins don't all exit by themselves.
    if (child.signalCode !== null) await endOrphanedPlugins();
    const events = eventLog ? readEvents(eventLog) : [];
    const canceled = events.some((event) => event.summaryEvent?.result === "canceled");
    return {
      exitCode,
      interrupted: signals.count() > 0 || canceled || receivedSignals(events) > 0,
      killedBy: killingSignal(child),
      events,
      stderr: plain(stderr.text),
    };
  } finally {
    signals.stop();
  }
}

/** The engine handles SIGINT and SIGTERM while it changes a stack; they end it at once only before and after that. */
function killingSignal({ signalCode }: ChildProcess): NodeJS.Signals | undefined {
  return signalCode === "SIGINT" || signalCode === "SIGTERM"
    ? undefined
    : (signalCode ?? undefined);
}

/** Output and exit code of a Pulumi command. */
export interface EngineOutput {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a Pulumi command and returns its output. */
export async function captureEngine(call: Omit<EngineCall, "eventLog">): Promise<EngineOutput> {
  const { pulumi, args, cwd, env } = call;
  const { code, stdout, stderr } = await run(pulumi, [...args], { cwd, environment: env });
  return { exitCode: code ?? 1, stdout, stderr };
}

/**
 * Forwards signals to the engine that it hasn't received. A signal to the process group (Ctrl-C) reaches the engine directly;
 * forwarding it would count as the second signal and make the engine abandon operations in progress. A signal to this process
 * alone doesn't reach the engine. The engine's event log shows which signals it has received.
 */
function forwardSignals(
  child: ChildProcess,
  eventLog: string | undefined,
): { count(): number; stop(): void } {
  let count = 0;
  let last = 0;
  const handle = (received: NodeJS.Signals): void => {
    // SIGHUP would end the engine at once; SIGTERM lets the operations in progress finish.
    const signal = received === "SIGHUP" ? "SIGTERM" : received;
    // One Ctrl-C may arrive twice: from the process group, and from npm, which forwards signals.
    if (Date.now() - last < 300) return;
    last = Date.now();
    count += 1;
    if (count > 2) child.kill("SIGKILL");
    else if (eventLog === undefined) forwardUnlessTerminal(child, signal);
    else forwardUnlessReceived(child, signal, eventLog, count);
  };
  for (const signal of SIGNALS) process.on(signal, handle);
  return {
    count: () => count,
    stop: () => {
      for (const signal of SIGNALS) process.off(signal, handle);
    },
  };
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Time in milliseconds after which an engine on a busy machine has logged a signal. Longer for SIGINT, which nearly always comes from the
 * terminal and has reached the engine: a second one would make it abandon operations in progress.
 */
const SIGNAL_LOG_TIMEOUT_MS = { SIGINT: 15_000, other: 2_000 };

/** @param count Number of signals so far, including this one. */
function forwardUnlessReceived(
  child: ChildProcess,
  signal: NodeJS.Signals,
  eventLog: string,
  count: number,
): void {
  const deadline = Date.now() + SIGNAL_LOG_TIMEOUT_MS[signal === "SIGINT" ? "SIGINT" : "other"];
  const timer = setInterval(() => {
    const done = child.exitCode !== null || receivedSignals(readEvents(eventLog)) >= count;
    if (!done && Date.now() < deadline) return;
    clearInterval(timer);
    if (!done) child.kill(signal);
  }, 100);
  timer.unref();
}

/** SIGINT nearly always comes from the terminal, which sends it to the whole process group; others go to one process. */
function forwardUnlessTerminal(child: ChildProcess, signal: NodeJS.Signals): void {
  if (signal !== "SIGINT") child.kill(signal);
}

/** Number of signals that the engine has received by its event log. */
function receivedSignals(events: readonly EngineEvent[]): number {
  return events.filter(({ stdoutEvent }) =>
    /(\^C|SIGTERM) received; (cancelling|terminating)/.test(stdoutEvent?.message ?? ""),
  ).length;
}

/** @throws CliError if the engine can't be started. */
function waitForExit(child: ChildProcess, pulumi: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", (error) =>
      reject(
        new CliError(`Starting ${pulumi} failed: ${error.message}.`, {
          hint: "./store doctor checks the engine.",
        }),
      ),
    );
    child.once("close", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 1)));
  });
}
